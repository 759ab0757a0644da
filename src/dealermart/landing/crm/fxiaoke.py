"""Fxiaoke (纷享销客, ShareCRM), Open API v2: token, queries, directory, labels of options.

Every answer is HTTP 200; ``errorCode`` says what it is. A query goes on after the last ``_id`` inside a window of
changes, which knows no limit of rows and moves no record when another one changes; ``total`` is never looked at, and
only an empty page is the end. The system lists no deletions: a sweep finds them, and marks on changed records.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dealermart.base import ConfigError, DealermartError, FetchError
from dealermart.config import Crm, CrmObject
from dealermart.landing.crm.records import Gone, Page, Row, Window, split
from dealermart.landing.crm.tokens import Token, Tokens
from dealermart.landing.crm.web import Again, Answer, Clock, Request, Web, check_host

HOSTS = (
    *("open.fxiaoke.com", "open-hwcloud.fxiaoke.com", "open-ale.fxiaoke.com", "open-hws.fxiaoke.com"),
    *("open-ksc.sharecrm.com", "open-na.sharecrm.com"),
)
TOKENS = (8, 60.0)  # 10 a minute are given
LIMIT = 100
MARGIN = 30.0  # seconds before its end a token is no longer used

# What errorCode says; the numbers mean the same at data calls only.
_NEW_TOKEN = frozenset({20016, 20005, 11014})
_PASSES = frozenset({-1, -2, 50009, 30004, 14001})
_TODAY_NO_MORE = 30002
_NO_RIGHT = frozenset({30003, 20006, 20015, 20021, 20022, 15003, 20014, 20020, 20023})

_GONE = frozenset({"invalid"})
_ALWAYS = ("_id", "last_modified_time", "create_time", "life_status", "is_deleted", "object_describe_api_name")


Found = list[tuple[str, dict[str, Any]]]  # objects of a list, each with its own text


class Refused(ConfigError):
    """Fxiaoke says no, with a number of its own."""

    code = 0


@dataclass(frozen=True)
class Login:
    """How Fxiaoke is entered: as an app of the company, in the name of a user whose rights the answers follow."""

    app_id: str
    app_secret: str = field(repr=False)
    permanent_code: str = field(repr=False)
    user_id: str
    base_url: str = "https://open.fxiaoke.com"
    is_legacy: bool = False


def login(entry: dict[str, str], where: str) -> Login:
    """What the environment or a connection says.

    Raises:
        ConfigError: something is missing, or the host is none of Fxiaoke's.
    """
    needed = ("client_id", "client_secret", "permanent_code", "user_id")
    if missing := [name for name in needed if not entry.get(name)]:
        raise ConfigError(
            f"Fxiaoke is not entered: {', '.join(missing)} is not given",
            where=where,
            mend="see docs/crm.md for how an app of the company is made, and which user it needs",
        )
    style = entry.get("style", "new")
    if style not in ("new", "legacy"):
        raise ConfigError("style is neither new nor legacy", where=where, mend="leave it out for new")
    base = entry.get("base_url", Login.base_url).rstrip("/")
    check_host(base, HOSTS, bool(entry.get("test_host")))
    client_id, secret, code, user_id = (entry[name] for name in needed)
    return Login(client_id, secret, code, user_id, base, style == "legacy")


class Fxiaoke:
    """The client. Nothing is asked before the first call."""

    id_key = "_id"

    def __init__(self, said: Login, crm: Crm, folder: Path, web: Web, clock: Clock) -> None:
        """``folder``: where the token's file lies."""
        self.login, self.crm, self.web, self.clock = said, crm, web, clock
        secrets = (said.app_id, said.app_secret, said.permanent_code)
        self._tokens = Tokens(folder / "fxiaoke.token", secrets, TOKENS, MARGIN, clock)

    # ------------------------------------------------------------------------------------------------ calls
    def _new_token(self) -> Token:
        secrets = {
            "appId": self.login.app_id,
            "appSecret": self.login.app_secret,
            "permanentCode": self.login.permanent_code,
        }
        path = "/cgi/corpAccessToken/get/V2" if self.login.is_legacy else "/oauth2.0/token"
        body = secrets if self.login.is_legacy else {**secrets, "grantType": "app_secret"}
        return self.web.ask(self._request(path, "token", body, {}), self._read_token)

    def _read_token(self, answer: Answer) -> Token:
        said = self._said(answer, "token")
        code = said.get("errorCode")
        text = said.get("corpAccessToken" if self.login.is_legacy else "accessToken")
        if code == 0 and isinstance(text, str):
            # The same token comes until shortly before its end: one that has little time left is used to its end.
            lasts = max(float(said.get("expiresIn") or 0), 2 * MARGIN)
            more = {key: str(said[key]) for key in ("ea", "corpId") if said.get(key)}
            return Token(text, self.clock.now() + lasts, more)
        if code in _PASSES:
            raise Again(f"token: Fxiaoke says {code}", where=self.login.base_url, mend="run it again later")
        raise ConfigError(
            f"Fxiaoke gives no token (errorCode {_number(code)})",
            where=self.login.base_url,
            mend="see that app id, secret, permanent code and cloud belong together, and that the app allows this "
            "machine's address",
        )

    def call(self, path: str, name: str, body: dict[str, Any], *rows: str) -> tuple[Any, Found]:
        """Call the API.

        Args:
            rows: Where the list is in the answer.

        Raises:
            Refused: Fxiaoke says no. FetchError: it does not answer as it should.
        """
        refused: str | None = None
        for _ in range(3):  # a token may end between two tries
            token = self._tokens.get(self._new_token, refused)
            request = self._request(path, name, *self._entered(token, body))
            found = self.web.ask(request, lambda answer: self._meaning(answer, name, rows))
            if found is not None:
                return found
            refused = token.text
        raise ConfigError(
            f"{name}: Fxiaoke takes no token of this app",
            where=self.login.base_url,
            mend="see that the app is not disabled, and that its secret and permanent code are the present ones",
        )

    def _entered(self, token: Token, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Body and headers with who asks, in the style that was chosen."""
        if self.login.is_legacy:
            who = {
                "corpAccessToken": token.text,
                "corpId": token.more.get("corpId", ""),
                "currentOpenUserId": self.login.user_id,
            }
            return {**who, **body}, {}
        headers = {
            "authorization": f"Bearer {token.text}",
            "x-fs-ea": token.more.get("ea", ""),
            "x-fs-userid": self.login.user_id,
        }
        return body, headers

    def _request(self, path: str, name: str, body: dict[str, Any], headers: dict[str, str]) -> Request:
        trace = {"thirdTraceId": str(uuid.uuid4())}
        return Request("POST", f"{self.login.base_url}{path}", name, trace, headers, body)

    def _said(self, answer: Answer, name: str) -> dict[str, Any]:
        said, _ = split(answer.text) if answer.status == 200 else (None, [])
        if not isinstance(said, dict):
            raise ConfigError(
                f"{name}: Fxiaoke answers with HTTP {answer.status}",
                where=self.login.base_url,
                mend="correct the base URL to that of the open API of your cloud, such as https://open.fxiaoke.com",
            )
        return said

    def _meaning(self, answer: Answer, name: str, rows: tuple[str, ...]) -> Any:
        """Envelope and rows; None where the token has to be a new one."""
        if answer.status != 200:
            self._said(answer, name)
        said, found = split(answer.text, *rows)
        code = said.get("errorCode") if isinstance(said, dict) else None
        if code == 0:
            return said, found
        if code in _NEW_TOKEN:
            return None
        trace = said.get("traceId") if isinstance(said, dict) else None
        traced = f", trace {trace}" if isinstance(trace, str) and re.fullmatch(r"[\w.\-]{1,80}", trace) else ""
        what = f"{name}: Fxiaoke says {_number(code)}{traced}"
        if code in _PASSES:
            raise Again(
                what, where=self.login.base_url, mend="run it again later; it goes on where it was", after=_pause(code)
            )
        if code == _TODAY_NO_MORE:
            raise DealermartError(
                f"{what}: the calls of this day are used up",
                where=self.login.base_url,
                mend="they are counted anew from midnight (Beijing time); the next run goes on where this one was",
            )
        mend = "see the list of its error codes; `dealermart crm check` tests what may be read"
        if code in _NO_RIGHT:
            mend = "somebody has to act at Fxiaoke: quota, app, or the rights of the integration user"
        refused = Refused(what, where=self.login.base_url, mend=mend)
        refused.code = code if isinstance(code, int) else 0
        raise refused

    # ------------------------------------------------------------------------------------------------ reading
    def now(self) -> dt.datetime:
        """The present second of the server."""
        self.call("/cgi/crm/v2/object/list", "objects", {}, "data", "objects")
        if self.web.date is None:
            raise FetchError(
                "the server's answers have no date, which windows are cut by",
                where=self.login.base_url,
                mend="report it",
            )
        return self.web.date.replace(microsecond=0)

    def changed(self, item: CrmObject, window: Window, is_first: bool) -> Iterator[Page]:
        """Records of an object that were changed in a window."""
        filters = [_filter("last_modified_time", "LT", _milliseconds(window.hi))]
        if window.lo is not None:
            filters.insert(0, _filter("last_modified_time", "GTE", _milliseconds(window.lo)))
        after = window.after[0] if window.after else None
        while True:
            rows = self._query(item, filters, after)
            if not rows:
                yield Page([], None)
                return
            after = rows[-1].id
            # BETWEEN or LT may count its end in: what is not before it belongs to the next window.
            yield Page([row for row in rows if row.modified < window.hi], [after])

    def _query(self, item: CrmObject, filters: list[dict[str, Any]], after: str | None) -> list[Row]:
        if after is not None:
            filters = [*filters, _filter("_id", "GT", after)]
        return [self.row(item, raw, record) for raw, record in self._rows(item, filters, _fields(item))]

    def _rows(self, item: CrmObject, filters: list[dict[str, Any]], fields: list[str]) -> Found:
        query = {
            "limit": LIMIT,
            "offset": 0,
            "filters": filters,
            "orders": [{"fieldName": "_id", "isAsc": True}],
            "fieldProjection": fields,
        }
        is_custom = item.name.endswith("__c")
        path = "/cgi/crm/custom/v2/data/query" if is_custom else "/cgi/crm/v2/data/query"
        # People by the ids that the directory has, in both styles.
        body = {"convertUserId": True, "data": {"dataObjectApiName": item.name, "search_query_info": query}}
        said, found = self.call(path, item.name, body, "data", "dataList")
        if not found and isinstance(said, dict) and isinstance(said.get("dataList"), list):
            found = [(json.dumps(record, ensure_ascii=False, default=str), record) for record in said["dataList"]]
        return found

    def by_ids(self, item: CrmObject, ids: list[str]) -> list[Row]:
        """Those of the records that there are now."""
        rows: list[Row] = []
        for start in range(0, len(ids), LIMIT):
            some = ids[start : start + LIMIT]
            found = self._rows(item, [{"field_name": "_id", "operator": "IN", "field_values": some}], _fields(item))
            rows += [self.row(item, raw, record) for raw, record in found]
        return rows

    def ids(self, item: CrmObject) -> Iterator[list[tuple[str, dt.datetime]]]:
        """All ids of an object that are not marked as deleted, with the time of change of each."""
        thin = item.model_copy(update={"stage": None, "stage_since": None})
        after: str | None = None
        while True:
            filters = [_filter("_id", "GT", after)] if after is not None else []
            modified = item.modified or "last_modified_time"
            found = self._rows(item, filters, ["_id", modified, "life_status", "is_deleted"])
            if not found:
                return
            after = str(found[-1][1]["_id"])
            rows = (self.row(thin, raw, record) for raw, record in found if not _is_gone(record))
            yield [(row.id, row.modified) for row in rows]

    def deleted(self, item: CrmObject, since: dt.datetime | None) -> list[Gone]:
        """Nothing: the system does not say it. Marks on changed records and sweeps do."""
        return []

    def listed(self, name: str, kept: tuple[str, ...]) -> list[Row]:
        """A short list, whole: ``users``, ``departments`` or ``options``."""
        if name == "options":
            return self._options()
        if name == "users":
            body = {"departmentId": 999999, "fetchChild": True, "showDepartmentIdsDetail": True}
            _, found = self.call("/cgi/user/list", "users", body, "userList")
            key = "openUserId"
        else:
            _, found = self.call("/cgi/department/list", "departments", {}, "departments")
            key = "id"
        return [_kept(str(record[key]), key, kept, record) for _, record in found]

    def _options(self) -> list[Row]:
        """What the values of choices are called, of all fields that are read."""
        rows: list[Row] = []
        for item in self.crm.objects:
            for name, about in sorted(self.described(item.name).items()):
                if item.fields and name not in item.fields:
                    continue
                for option in about.get("options") or []:
                    said_of = {
                        "id": f"{item.name}|{name}|{option.get('value')}",
                        "object": item.name,
                        "field": name,
                        "value": option.get("value"),
                        "label": option.get("label"),
                    }
                    rows.append(_kept(said_of["id"], "id", (), said_of))
        return rows

    def described(self, name: str) -> dict[str, dict[str, Any]]:
        """The fields of an object, by name."""
        asked: dict[str, Any] = {"apiName": name, "includeDetail": True}
        said, _ = self.call(
            "/cgi/crm/v2/object/describe", "describe", asked if self.login.is_legacy else {"data": asked}
        )
        return dict(((said.get("data") or {}).get("describe") or {}).get("fields") or {})

    def tried(self, item: CrmObject, now: dt.datetime) -> bool:
        """Read a page of an object; says whether there is any record."""
        return bool(self._rows(item, [_filter("last_modified_time", "LT", _milliseconds(now))], _fields(item)))

    def row(self, item: CrmObject, raw: str, record: dict[str, Any]) -> Row:
        """A record as a row."""
        moment = _moment(record.get(item.modified or "last_modified_time"))
        if moment is None or not record.get("_id"):
            raise ConfigError(
                f"{item.name}: a record has no _id or no {item.modified or 'last_modified_time'}",
                where=self.login.base_url,
                mend="say under `modified` in the profile which field of this object has the time of change",
            )
        staged = _moment(record.get(item.stage_since)) if item.stage_since else None
        created = _moment(record.get("create_time"))
        return Row(str(record["_id"]), moment, raw, record, _is_gone(record), created, staged)


def _fields(item: CrmObject) -> list[str]:
    """The fields that are asked for; none is all."""
    if not item.fields:
        return []
    more = (item.modified, item.stage, item.stage_since)
    return list(dict.fromkeys([*_ALWAYS, *item.fields, *(name for name in more if name)]))


def _is_gone(record: dict[str, Any]) -> bool:
    return str(record.get("is_deleted")).lower() == "true" or record.get("life_status") in _GONE


def _filter(name: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field_name": name, "operator": operator, "field_values": [value]}


def _kept(item_id: str, key: str, kept: tuple[str, ...], record: dict[str, Any]) -> Row:
    said = {name: value for name, value in record.items() if not kept or name in (key, *kept)}
    return Row(item_id, dt.datetime(1970, 1, 1, tzinfo=dt.UTC), json.dumps(said, ensure_ascii=False, default=str), said)


def _milliseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1000)


def _moment(value: Any) -> dt.datetime | None:
    text = str(value)
    if not re.fullmatch(r"-?\d{1,15}", text):
        return None
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=int(text))


def _number(code: Any) -> str:
    return str(code) if isinstance(code, int) else "no number"


def _pause(code: Any) -> float | None:
    """The burst limit counts 20 seconds."""
    return 20.0 if code in (30004, 14001) else None
