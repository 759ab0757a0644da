"""Zoho CRM, API v8: token, COQL, the plain list, deleted records, users, stages. Its bulk read is in ``zoho_bulk``.

Windows are of whole seconds by the server's clock and end before its present one, so every record of a window has the
version of that second that stays. COQL goes on after the last (change time, id), never by an offset, so a record that
is changed meanwhile leaves the window for the next one and moves no other.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from dealermart.base import ConfigError, DealermartError, FetchError
from dealermart.config import Crm, CrmObject
from dealermart.landing.crm.records import Gone, Page, Row, Window, split
from dealermart.landing.crm.tokens import Token, Tokens
from dealermart.landing.crm.web import Again, Answer, Clock, Request, Web, check_host
from dealermart.landing.crm.zoho_bulk import read as bulk_read
from dealermart.landing.crm.zoho_fields import fields, iso, modified

HOSTS = (
    *("zohoapis.com", "zohoapis.eu", "zohoapis.in", "zohoapis.com.au", "zohoapis.com.cn", "zohoapis.jp"),
    *("zohoapis.ca", "zohoapis.sa"),
    *("accounts.zoho.com", "accounts.zoho.eu", "accounts.zoho.in", "accounts.zoho.com.au", "accounts.zoho.com.cn"),
    *("accounts.zoho.jp", "accounts.zohocloud.ca", "accounts.zoho.sa"),
)
# Data centres: end of the API's host -> host that gives tokens.
ACCOUNTS = {
    "zohoapis.com": "accounts.zoho.com",
    "zohoapis.eu": "accounts.zoho.eu",
    "zohoapis.in": "accounts.zoho.in",
    "zohoapis.com.au": "accounts.zoho.com.au",
    "zohoapis.com.cn": "accounts.zoho.com.cn",
    "zohoapis.jp": "accounts.zoho.jp",
    "zohoapis.ca": "accounts.zohocloud.ca",
    "zohoapis.sa": "accounts.zoho.sa",
}
REFRESHES = (9, 600.0)  # Zoho gives 10 tokens in ten minutes; one is left for a check by hand
IDS = 100  # in one COQL condition
BULK_AFTER = 5  # pages of COQL that a first load reads before its rest is read in bulk
FEW, MANY = 200, 2000  # rows of a COQL page: the first costs one credit, the others three
LIST_FIELDS = 50
PAGE = 200

# What COQL, or the bulk read, says where it is not for this module or for these credentials.
_NOT_SO = frozenset(
    {
        *("OAUTH_SCOPE_MISMATCH", "NO_PERMISSION", "NOT_SUPPORTED", "INVALID_QUERY", "FEATURE_NOT_ENABLED"),
        *("MODULE_NOT_SUPPORTED", "MODULE_NOT_AVAILABLE", "FIELD_NOT_SUPPORTED", "FIELD_NOT_AVAILABLE"),
    }
)
_STALE = frozenset({"INVALID_TOKEN", "AUTHENTICATION_FAILURE", "INVALID_OAUTHTOKEN"})
_NO_CLIENT = frozenset({"invalid_client", "invalid_client_secret", "invalid_code", "invalid_grant"})


class Refused(ConfigError):
    """Zoho says no, with a code of its own."""

    code = ""


@dataclass(frozen=True)
class Login:
    """How Zoho is entered."""

    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    base_url: str = "https://www.zohoapis.com"
    accounts_url: str = ""
    test_host: bool = False


def login(entry: dict[str, str], where: str) -> Login:
    """What the environment or a connection says.

    Raises:
        ConfigError: something is missing, or a host is none of Zoho's.
    """
    needed = ("client_id", "client_secret", "refresh_token")
    if missing := [name for name in needed if not entry.get(name)]:
        raise ConfigError(
            f"Zoho is not entered: {', '.join(missing)} is not given",
            where=where,
            mend="see docs/crm.md for how a client and its refresh token are made",
        )
    base = entry.get("base_url", Login.base_url).rstrip("/")
    test_host = bool(entry.get("test_host"))
    check_host(base, HOSTS, test_host)
    accounts = entry.get("accounts_url", "").rstrip("/") or _accounts(base)
    check_host(accounts, HOSTS, test_host)
    return Login(entry["client_id"], entry["client_secret"], entry["refresh_token"], base, accounts, test_host)


def _accounts(base: str) -> str:
    host = urlsplit(base).hostname or ""
    domain = max((end for end in ACCOUNTS if host == end or host.endswith(f".{end}")), key=len, default=None)
    return f"https://{ACCOUNTS[domain]}" if domain else base


class Zoho:
    """The client. Nothing is asked before the first call."""

    id_key = "id"

    def __init__(self, said: Login, crm: Crm, folder: Path, web: Web, clock: Clock) -> None:
        """``folder``: where the token's file lies, and what is downloaded."""
        self.login, self.crm, self.folder, self.web, self.clock = said, crm, folder, web, clock
        secrets = (said.client_id, said.client_secret, said.refresh_token)
        self._tokens = Tokens(folder / "zoho.token", secrets, REFRESHES, 60.0, clock)
        self._is_listed: set[str] = set()  # objects for which COQL was refused
        self.credits_left: int | None = None

    # ------------------------------------------------------------------------------------------------ calls
    def _new_token(self) -> Token:
        form = {
            "grant_type": "refresh_token",
            "client_id": self.login.client_id,
            "client_secret": self.login.client_secret,
            "refresh_token": self.login.refresh_token,
        }
        request = Request("POST", f"{self.login.accounts_url}/oauth/v2/token", "token", form=form)
        return self.web.ask(request, self._read_token)

    def _read_token(self, answer: Answer) -> Token:
        said, _ = split(answer.text)
        said = said if isinstance(said, dict) else {}
        if isinstance(said.get("access_token"), str):
            lasts = said.get("expires_in_sec") or said.get("expires_in") or 3600
            domain = said.get("api_domain")
            more = {"api_domain": domain} if isinstance(domain, str) else {}
            return Token(said["access_token"], self.clock.now() + float(lasts), more)
        error = str(said.get("error", ""))
        where = self.login.accounts_url
        if error in _NO_CLIENT:
            raise ConfigError(
                f"Zoho gives no token: {error}",
                where=where,
                mend="make a new refresh token, and see that client id, secret and data centre belong together",
            )
        raise FetchError(
            f"Zoho gives no token: {_code(error) or f'HTTP {answer.status}'}",
            where=where,
            mend="wait ten minutes: so many tokens were asked for that Zoho gives no more for a while",
        )

    def call(self, method: str, path: str, name: str, **more: Any) -> tuple[Any, list[tuple[str, dict[str, Any]]]]:
        """Call the API; nothing where it answers that there is nothing.

        Args:
            more: ``params``, ``headers``, ``json``, ``into`` of the request; ``rows``: where the list is.

        Raises:
            Refused: Zoho says no. FetchError: it does not answer as it should.
        """
        rows = more.pop("rows", ("data",))
        refused: str | None = None
        for _ in range(5):  # a token may end between two tries
            token = self._tokens.get(self._new_token, refused)
            base = self._base(token)
            headers = {"Authorization": f"Zoho-oauthtoken {token.text}", **more.get("headers", {})}
            request = Request(method, f"{base}{path}", name, **{**more, "headers": headers})
            found = self.web.ask(request, lambda answer: self._meaning(answer, name, rows))
            if found is not None:
                return found
            refused = token.text
        raise ConfigError(
            f"{name}: Zoho takes no token of this client",
            where=self.login.base_url,
            mend="see that the data centre is the one in which the client was made, and make a new refresh token",
        )

    def _base(self, token: Token) -> str:
        """Zoho says itself where its API is, if that is a host of Zoho's."""
        domain = token.more.get("api_domain", "").rstrip("/")
        told = urlsplit(self.login.base_url).hostname or ""
        if not domain or told.startswith(("sandbox.", "developer.")) or self.login.test_host:
            return self.login.base_url
        check_host(domain, HOSTS, False)
        return domain

    def _meaning(self, answer: Answer, name: str, rows: tuple[str, ...]) -> Any:
        """Envelope and rows; None where the token has to be a new one."""
        self._count_credits(answer)
        if answer.status in (204, 304):
            return {}, []
        if answer.status in (200, 201, 202) and not rows:
            return {}, []
        said, found = split(answer.text, *(rows if answer.status < 300 else ()))
        if answer.status < 300 and not (isinstance(said, dict) and said.get("status") == "error"):
            return said, found
        code = _error_code(said)
        if answer.status == 401 and code in _STALE:
            return None
        refused = Refused(
            f"{name}: Zoho refuses it ({code or f'HTTP {answer.status}'})",
            where=self.login.base_url,
            mend=_MENDS.get(
                code, "docs/crm.md names the scopes and modules that are needed; `dealermart crm check` tests them"
            ),
        )
        refused.code = code
        raise refused

    def _count_credits(self, answer: Answer) -> None:
        left = answer.headers.get("x-api-credits-remaining", "")
        if left.isdigit():
            self.credits_left = int(left)
            if self.credits_left < self.crm.leave_credits:
                raise DealermartError(
                    f"only {left} of Zoho's credits are left, and {self.crm.leave_credits} are kept for others",
                    where=self.login.base_url,
                    mend="they come back within 24 hours, and the next run goes on; leave_credits sets how many",
                )

    # ------------------------------------------------------------------------------------------------ reading
    def now(self) -> dt.datetime:
        """The present second of the server."""
        self.call("GET", "/crm/v8/org", "org", rows=("org",))
        return server_time(self.web, self.login.base_url)

    def changed(self, item: CrmObject, window: Window, is_first: bool) -> Iterator[Page]:
        """Records of an object that were changed in a window."""
        if not self._lists(item):
            try:
                yield from self._queried(item, window, is_first and item.first_by == "bulk" and window.after is None)
                return
            except Refused as refused:
                if refused.code not in _NOT_SO:
                    raise
                self._is_listed.add(item.name)
        if is_first and item.first_by == "bulk":
            try:
                yield from bulk_read(self, item, window)
                return
            except Refused as refused:
                if refused.code not in _NOT_SO:
                    raise
        yield from self._list(item, window)

    def _queried(self, item: CrmObject, window: Window, may_be_bulk: bool) -> Iterator[Page]:
        """By COQL; what is many goes on by the bulk read, whose job takes minutes and few calls."""
        pages = self._query(item, window)
        for number, page in enumerate(pages, start=1):
            yield page
            if may_be_bulk and number == BULK_AFTER and page.after is not None:
                rest = replace(window, lo=page.rows[-1].modified)
                try:
                    yield from bulk_read(self, item, rest)
                    return
                except Refused as refused:
                    if refused.code not in _NOT_SO:
                        raise

    def _lists(self, item: CrmObject) -> bool:
        return item.read_by == "list" or item.name in self._is_listed

    def _query(self, item: CrmObject, window: Window) -> Iterator[Page]:
        key, after, many = modified(item), window.after, FEW
        while True:
            bounds = f"{key} < {_moment(window.hi)}"
            if window.lo is not None:
                bounds = f"({key} >= {_moment(window.lo)} and {bounds})"
            if after is not None:
                behind = f"({key} = '{after[0]}' and id > '{after[1]}')"
                bounds = f"({bounds} and ({key} > '{after[0]}' or {behind}))"
            said, found = self._coql(
                f"select {', '.join(fields(item))} from {item.name} where {bounds} "
                f"order by {key} asc, id asc limit {many}"
            )
            rows = [self.row(item, raw, record) for raw, record in found]
            if rows:
                after = [iso(rows[-1].modified), rows[-1].id]
            more = bool(said.get("info", {}).get("more_records")) and bool(rows)
            yield Page(rows, after if more else None)
            if not more:
                return
            many = MANY

    def _coql(self, select: str) -> tuple[Any, list[tuple[str, dict[str, Any]]]]:
        return self.call("POST", "/crm/v8/coql", "coql", json={"select_query": select})

    def _list(self, item: CrmObject, window: Window) -> Iterator[Page]:
        """The plain list. A deletion meanwhile could pull a record over the edge of a page: then it is read again."""
        if len(fields(item)) > LIST_FIELDS:
            raise ConfigError(
                f"{item.name}: the list gives {LIST_FIELDS} fields at most, id and times among them",
                where=self.login.base_url,
                mend="name fewer fields in the profile, or give the client the scope ZohoCRM.coql.READ",
            )
        for _ in range(3):
            began = self.now()
            yield from self._list_once(item, window)
            if not self.deleted(item, began - dt.timedelta(seconds=2)):
                return

    def _list_once(self, item: CrmObject, window: Window) -> Iterator[Page]:
        params: dict[str, str | int] = {
            "fields": ",".join(fields(item)), "per_page": PAGE, "sort_by": "id", "sort_order": "asc",
        }  # fmt: skip
        headers = {"If-Modified-Since": iso(window.lo)} if window.lo else {}
        while True:
            said, found = self.call("GET", f"/crm/v8/{item.name}", item.name, params=params, headers=headers)
            rows = [self.row(item, raw, record) for raw, record in found]
            yield Page([row for row in rows if row.modified < window.hi], None)
            info = said.get("info", {})
            if not info.get("more_records") or not info.get("next_page_token"):
                return
            params = {**params, "page_token": info["next_page_token"]}

    def by_ids(self, item: CrmObject, ids: list[str]) -> list[Row]:
        """Those of the records that there are now."""
        found: list[tuple[str, dict[str, Any]]] = []
        for start in range(0, len(ids), IDS):
            some = ids[start : start + IDS]
            if not self._lists(item):
                try:
                    listed = ", ".join(f"'{one_id}'" for one_id in some)
                    select = f"select {', '.join(fields(item))} from {item.name} where id in ({listed}) limit {FEW}"
                    found += self._coql(select)[1]
                    continue
                except Refused as refused:
                    if refused.code not in _NOT_SO:
                        raise
                    self._is_listed.add(item.name)
            params = {"fields": ",".join(fields(item)), "ids": ",".join(some), "per_page": PAGE}
            found += self.call("GET", f"/crm/v8/{item.name}", item.name, params=params)[1]
        return [self.row(item, raw, record) for raw, record in found]

    def ids(self, item: CrmObject) -> Iterator[list[tuple[str, dt.datetime]]]:
        """All ids of an object, with the time of change of each."""
        thin = item.model_copy(update={"fields": (), "stage": None, "stage_since": None})
        if self._lists(item):
            window = Window(None, self.now() + dt.timedelta(days=1))
            yield from ([(row.id, row.modified) for row in page.rows] for page in self._list_once(thin, window))
            return
        last = "0"
        while True:
            names = ", ".join(fields(thin))
            said, found = self._coql(
                f"select {names} from {item.name} where id > '{last}' order by id asc limit {MANY}"
            )
            rows = [self.row(thin, raw, record) for raw, record in found]
            some = [row.id for row in rows]
            yield [(row.id, row.modified) for row in rows]
            if not some or not said.get("info", {}).get("more_records"):
                return
            last = some[-1]

    def deleted(self, item: CrmObject, since: dt.datetime | None) -> list[Gone]:
        """What was deleted since a moment, and is so now. Of more than a page it is read until nothing is new."""
        headers = {"If-Modified-Since": iso(since)} if since else {}
        gone: dict[str, Gone] = {}
        for _ in range(3):
            known, page = len(gone), 1
            while True:
                params: dict[str, str | int] = {"type": "all", "page": page, "per_page": PAGE}
                path = f"/crm/v8/{item.name}/deleted"
                said, found = self.call("GET", path, f"{item.name} deleted", params=params, headers=headers)
                for _raw, record in found:
                    at = _read(record.get("deleted_time")) or dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
                    # Names of records and of people stand in it too; the id and the moment are what is needed.
                    gone_id = str(record["id"])
                    kept = {"id": gone_id, "deleted_time": record.get("deleted_time")}
                    gone[gone_id] = Gone(gone_id, at, json.dumps(kept))
                if not said.get("info", {}).get("more_records"):
                    break
                page += 1
            if page == 1 or len(gone) == known:
                break
        return list(gone.values())

    def listed(self, name: str, kept: tuple[str, ...]) -> list[Row]:
        """A short list, whole: ``users`` or ``stages``."""
        return self._users(kept) if name == "users" else self._stages(kept)

    def _users(self, kept: tuple[str, ...]) -> list[Row]:
        rows, page, now = [], 1, dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        while True:
            params: dict[str, str | int] = {"type": "AllUsers", "page": page, "per_page": PAGE}
            said, found = self.call("GET", "/crm/v8/users", "users", params=params, rows=("users",))
            rows += [_kept("id", kept, record, now) for _, record in found]
            if not said.get("info", {}).get("more_records"):
                return rows
            page += 1

    def _stages(self, kept: tuple[str, ...]) -> list[Row]:
        """What every stage of every pipeline means: won, lost or open."""
        now = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        _, layouts = self.call(
            "GET", "/crm/v8/settings/layouts", "layouts", params={"module": "Deals"}, rows=("layouts",)
        )
        found: dict[str, Row] = {}
        for _, layout in layouts:
            params = {"layout_id": str(layout["id"])}
            _, pipelines = self.call("GET", "/crm/v8/settings/pipeline", "pipeline", params=params, rows=("pipeline",))
            for _, pipeline in pipelines:
                for stage in pipeline.get("maps") or []:
                    said = {
                        "id": f"{pipeline['display_value']}|{stage['display_value']}",
                        "pipeline": pipeline["display_value"],
                        "stage": stage["display_value"],
                        "forecast_type": stage.get("forecast_type"),
                        "sequence_number": stage.get("sequence_number"),
                    }
                    found[said["id"]] = _kept("id", kept and (*kept, "pipeline", "stage"), said, now)
        return list(found.values())

    def tried(self, item: CrmObject, now: dt.datetime) -> str:
        """Read a page of what changed lately; says in which way that works."""
        next(self.changed(item, Window(now - dt.timedelta(hours=1), now), False))
        return "the list" if self._lists(item) else "COQL"

    def row(self, item: CrmObject, raw: str, record: dict[str, Any]) -> Row:
        """A record as a row."""
        moment = _read(record.get(modified(item)))
        if moment is None or not record.get("id"):
            raise ConfigError(
                f"{item.name}: a record has no id or no {modified(item)}",
                where=self.login.base_url,
                mend="say under `modified` in the profile which field of this module has the time of change",
            )
        created = _read(record.get("Created_Time"))
        staged = _read(record.get(item.stage_since)) if item.stage_since else None
        return Row(str(record["id"]), moment, raw, record, created=created, staged=staged)


def server_time(web: Web, where: str) -> dt.datetime:
    """The present second by the server's clock.

    Raises:
        Again: it does not say.
    """
    if web.date is None:
        raise Again(
            "the server's answers have no date, which windows are cut by", where=where, mend="report it to the vendor"
        )
    return web.date.replace(microsecond=0)


def _kept(key: str, kept: tuple[str, ...], record: dict[str, Any], now: dt.datetime) -> Row:
    """A record of a short list with no more of it than is wanted."""
    said = {name: value for name, value in record.items() if not kept or name in (key, *kept)}
    return Row(str(record[key]), now, json.dumps(said, ensure_ascii=False, default=str), said)


_MENDS = {
    "OAUTH_SCOPE_MISMATCH": "make a refresh token with the scopes that docs/crm.md lists",
    "INVALID_MODULE": "correct the module's name in the profile; it is the API name, such as Deals",
    "NO_PERMISSION": "give the integration user's profile the right to read this module",
}


def _error_code(said: Any) -> str:
    """The code of an error, which stands bare or in a list of one."""
    data = said.get("data") if isinstance(said, dict) else None
    inner = data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else said
    return _code(inner.get("code")) if isinstance(inner, dict) else ""


def _code(text: Any) -> str:
    """A code that can stand in a message: it is one, and no data."""
    return text if isinstance(text, str) and re.fullmatch(r"[A-Za-z_ ]{1,60}", text) else ""


def _read(text: Any) -> dt.datetime | None:
    try:
        found = dt.datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found.astimezone(dt.UTC) if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _moment(moment: dt.datetime) -> str:
    return f"'{iso(moment)}'"
