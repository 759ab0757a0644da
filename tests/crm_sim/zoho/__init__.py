"""A simulator of Zoho CRM's REST API v8: OAuth, lists, COQL, bulk read, deleted records, metadata, limits.

Accounts and API servers are one address. It follows a written reference of the protocol, not any client; what the
reference leaves open is in `switches`. State lives in memory and may be edited at any moment.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from tests.crm_sim.clock import Clock
from tests.crm_sim.server import Call, Reply, Simulator, json_reply
from tests.crm_sim.store import Gone, Row
from tests.crm_sim.zoho import bulk, queries, records, settings
from tests.crm_sim.zoho.faults import BY_STATUS, KNOWN, Refused
from tests.crm_sim.zoho.schema import Field, Module, Render, module, stored
from tests.crm_sim.zoho.switches import Limits, Switches
from tests.crm_sim.zoho.tenant import STAGES, Stage, User, default_modules
from tests.crm_sim.zoho.tokens import ALL_SCOPES, Tokens

__all__ = ["ALL_SCOPES", "Field", "Limits", "Module", "Stage", "Switches", "User", "Zoho", "module"]

DAY = timedelta(hours=24)
Route = tuple[str, re.Pattern[str], str, Callable[..., Reply]]


class Zoho(Simulator):
    """A tenant of Zoho CRM on a free port.

    Args:
        zone: Zone in which the user who asks sees moments.
        clock: The vendor's clock.
    """

    def __init__(self, *, zone: tzinfo | None = None, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.switches, self.limits = Switches(), Limits()
        self.tokens = Tokens(self.clock, self.switches, self.limits)
        self.client_id, self.client_secret = self.tokens.client_id, self.tokens.client_secret
        self.refresh_token = self.tokens.grant()
        self.modules: dict[str, Module] = default_modules()
        self.pipelines: dict[str, list[Stage]] = {"Standard": list(STAGES)}
        self.users: dict[str, User] = {}
        self.edition, self.zone_name = "enterprise", str(zone or "UTC")
        self.started = self.clock.now()
        self.page_tokens: dict[str, records.PageToken] = {}
        self.bulk = bulk.Jobs()
        self.credits: deque[tuple[datetime, int]] = deque()
        self._ids = 5_545_974_000_000_335_000
        self.render = Render(zone or timezone(timedelta(0)), self._name_of, self._user_of)
        self.add_user("5545974000000386001", "Integration User", "integration@example.com", role="Administration")

    # -------------------------------------------------------------------------------- state
    def next_id(self) -> str:
        """An id that nothing has; later ones are larger."""
        with self.lock:
            self._ids += 7
            return str(self._ids)

    def add_user(self, user_id: str, name: str, email: str, status: str = "active", *, role: str = "Sales") -> None:
        """A user; the first one is the user who asks."""
        self.users[user_id] = User(user_id, name, email, status, role)

    def add_module(self, kind: Module) -> None:
        """One more module, as `module` makes it."""
        self.modules[kind.name] = kind

    def add(self, name: str, values: dict[str, Any], *, at: datetime | None = None, id: str | None = None) -> str:
        """Add a record; moments are aware, lookups ids.

        Args:
            at: When; the clock's moment if not said. Created_Time and Modified_Time in ``values`` go before it.

        Returns:
            Its id.
        """
        with self.lock:
            kind, now = self.modules[name], at or self.clock.now()
            given = {k: stored(kind.fields[k], v) for k, v in values.items()}
            for column, value in (("Created_Time", now), ("Modified_Time", now), ("Owner", next(iter(self.users)))):
                if column in kind.fields and column not in given:
                    given[column] = stored(kind.fields[column], value)
            row = Row(id or self.next_id(), given)
            if row.id in kind.table.rows:
                raise ValueError(f"{name} {row.id} is there already")
            kind.table.rows[row.id] = row
            kind.table.touched()
            return row.id

    def change(
        self, name: str, record_id: str, values: dict[str, Any], *, at: datetime | None = None, bump: bool = True
    ) -> None:
        """Change a record; without ``bump`` its Modified_Time stays, as after a change of a formula's input."""
        with self.lock:
            kind = self.modules[name]
            row = kind.table.rows[record_id]
            given = {k: stored(kind.fields[k], v) for k, v in values.items()}
            if bump and kind.modified and "Modified_Time" not in given:
                given["Modified_Time"] = stored(kind.fields["Modified_Time"], at or self.clock.now())
            row.values.update(given)
            row.version += 1
            kind.table.touched()

    def delete(self, name: str, record_id: str, kind: str = "recycle", *, at: datetime | None = None) -> None:
        """Delete a record: into the recycle bin, or for good, which may be done to one in the bin too."""
        with self.lock:
            of = self.modules[name]
            row = of.table.rows.pop(record_id, None)
            if row is None:
                row = of.table.gone[record_id].row
            assert row is not None, f"{name} {record_id} is deleted for good"
            of.table.touched()
            bin_, who = kind == "recycle", self.actor()
            facts = {
                "deleted_by": who if bin_ else None, "id": record_id, "type": kind, "created_by": who if bin_ else None,
                "display_name": row.values.get(of.named) if bin_ else None,
                "deleted_time": stored(Field("", "datetime"), at or self.clock.now()),
            }  # fmt: skip
            of.table.gone[record_id] = Gone(row if bin_ else None, facts)

    def restore(self, name: str, record_id: str, *, at: datetime | None = None) -> None:
        """Bring a record back from the recycle bin."""
        with self.lock:
            kind = self.modules[name]
            row = kind.table.gone[record_id].row
            if row is None:
                raise ValueError(f"{name} {record_id} is deleted for good")
            del kind.table.gone[record_id]
            kind.table.rows[record_id] = row
            kind.table.touched()
            if self.switches.restore_modifies:
                self.change(name, record_id, {}, at=at)

    def records(self, name: str) -> list[dict[str, Any]]:
        """All live records with all fields, as the API shows them singly, by id."""
        with self.lock:
            kind = self.modules[name]
            return [self.render.record(kind, row, kind.fields, whole=True) for row in records.ordered(kind, "id")[1]]

    def expire_tokens(self) -> None:
        """All access tokens end now."""
        with self.lock:
            self.tokens.expire()

    def actor(self) -> dict[str, str]:
        """The user who asks, as others see that one."""
        user = next(iter(self.users.values()))
        return {"name": user.name, "id": user.id}

    def _name_of(self, name: str, record_id: str) -> str | None:
        for kind in [self.modules[name]] if name else [self.modules["Deals"], self.modules["Accounts"]]:
            if row := kind.table.rows.get(record_id):
                return row.values.get(kind.named)
        return None

    def _user_of(self, user_id: str) -> tuple[str, str] | None:
        user = self.users.get(user_id)
        return (user.name, user.email) if user else None

    def module(self, name: str) -> Module:
        """A module that can be read.

        Raises:
            Refused: INVALID_MODULE, or the module's own word.
        """
        kind = self.modules.get(name)
        if kind is None:
            raise Refused("INVALID_MODULE", {"resource_path_index": 0})
        if kind.refuses:
            raise Refused(kind.refuses)
        return kind

    # -------------------------------------------------------------------------------- calls
    @staticmethod
    def version(call: Call) -> int:
        """Version of the API that a call's path names."""
        found = re.search(r"/v(\d+)", call.path)
        return int(found[1]) if found else 8

    def kind_of(self, call: Call) -> str:
        return "heavy" if re.search(r"/coql$|^/crm/bulk/", call.path) else ""

    def fault_reply(self, kind: str | int) -> Reply:
        status = int(kind)
        code = BY_STATUS.get(status) or next((c for c, (s, _) in KNOWN.items() if s == status), "INVALID_REQUEST")
        return self._with_retry(Refused(code, status=status).reply())

    def _with_retry(self, reply: Reply) -> Reply:
        if reply.status == 429 and self.switches.retry_after is not None:
            return replace(reply, headers={**reply.headers, "Retry-After": str(self.switches.retry_after)})
        return reply

    def answer(self, call: Call) -> Reply:
        if call.path == "/oauth/v2/token" and call.method == "POST":
            return self.tokens.answer(call, self.base)
        if call.path == "/oauth/v2/token/revoke" and call.method == "POST":
            return self.tokens.revoke(call)
        try:
            reply = self._answer(call)
        except Refused as refused:
            reply = refused.reply()
            of_records = re.fullmatch(r"/crm/v\d+/[A-Z]\w*(/.*)?", call.path)
            if self.switches.record_errors_in_data and of_records and refused.code not in ("INVALID_TOKEN",):
                message = KNOWN.get(refused.code, (0, refused.code))[1]
                body = {"code": refused.code, "details": refused.details, "message": message, "status": "error"}
                reply = json_reply({"data": [body]}, reply.status, refused.code)
        return self._with_retry(self._with_credits(reply))

    def _with_credits(self, reply: Reply) -> Reply:
        used = self.used_credits()
        if used * 2 < self.limits.credits:
            return reply
        left = str(max(0, self.limits.credits - used))
        return replace(reply, headers={**reply.headers, "X-API-CREDITS-REMAINING": left})

    def used_credits(self) -> int:
        """Credits used in the last 24 hours."""
        while self.credits and self.credits[0][0] <= self.clock.now() - DAY:
            self.credits.popleft()
        return sum(cost for _, cost in self.credits)

    def _pay(self, cost: int) -> None:
        if self.used_credits() + cost > self.limits.credits:
            raise Refused("TOO_MANY_REQUESTS")
        self.credits.append((self.clock.now(), cost))

    def _answer(self, call: Call) -> Reply:
        scopes = self.tokens.scopes(call)
        over = self.in_flight[""] > self.limits.concurrency or self.in_flight["heavy"] > self.limits.heavy
        if over and (self.kind_of(call) or self.in_flight[""] > self.limits.concurrency):
            raise Refused("TOO_MANY_REQUESTS")
        if found := re.fullmatch(r"/crm/bulk/v\d+/read(?:/(\d+))?(/result)?", call.path):
            return self._bulk(call, scopes, found[1], bool(found[2]))
        found = re.fullmatch(r"/crm/v\d+/(.+)", call.path)
        if not found:
            raise Refused("INVALID_URL_PATTERN")
        parts = found[1].strip("/").split("/")
        if parts == ["coql"]:
            return self._coql(call, scopes)
        if call.method != "GET":
            raise Refused("INVALID_REQUEST_METHOD")
        self._pay(1)
        if parts[0] == "settings":
            return self._settings(call, scopes, parts[1:])
        if parts[0] in ("users", "org"):
            self._need(scopes, f"ZohoCRM.{parts[0]}.")
            return settings.org(self) if parts[0] == "org" else settings.users(self, call, *parts[1:2])
        return self._records(call, scopes, parts)

    @staticmethod
    def _need(scopes: frozenset[str], *starts: str) -> None:
        """Refuse unless each of these is granted to read or whole; alternatives stand in one text, by a bar."""
        granted = {scope.lower() for scope in scopes}
        for start in starts:
            if not any(f"{s.lower()}{end}" in granted for s in start.split("|") for end in ("all", "read")):
                raise Refused("OAUTH_SCOPE_MISMATCH")

    def _need_module(self, scopes: frozenset[str], name: str, *more: str) -> None:
        kind = self.modules.get(name)
        custom = "|ZohoCRM.modules.custom." if kind and kind.generated_type == "custom" else ""
        self._need(scopes, f"ZohoCRM.modules.|ZohoCRM.modules.{name}.{custom}", *more)

    def _settings(self, call: Call, scopes: frozenset[str], parts: list[str]) -> Reply:
        known: dict[str, Callable[[], Reply]] = {
            "modules": lambda: settings.modules(self, *parts[1:2]),
            "fields": lambda: settings.fields(self, call),
            "layouts": lambda: settings.layouts(self, call),
            "pipeline": lambda: settings.pipeline(self, call),
        }
        if not parts or parts[0] not in known:
            raise Refused("INVALID_URL_PATTERN")
        self._need(scopes, f"ZohoCRM.settings.|ZohoCRM.settings.{parts[0]}.")
        return known[parts[0]]()

    def _coql(self, call: Call, scopes: frozenset[str]) -> Reply:
        if call.method != "POST":
            raise Refused("INVALID_REQUEST_METHOD")
        self._need(scopes, "ZohoCRM.coql.")
        try:
            query, kind, meta = queries.prepare(self, call)
        except Refused:
            self._pay(1)
            raise
        self._need_module(scopes, kind.name)
        self._pay(queries.credits_of(query.limit or self.limits.coql_default))
        return queries.coql(self, query, kind, meta)

    def _bulk(self, call: Call, scopes: frozenset[str], job_id: str | None, result: bool) -> Reply:
        self._need(scopes, "ZohoCRM.bulk.")
        if job_id is None:
            if call.method != "POST":
                raise Refused("INVALID_REQUEST_METHOD")
            self._pay(self.switches.bulk_credits)
            if name := bulk.module_of(call):
                self._need_module(scopes, name)
            return bulk.create(self, call)
        if call.method != "GET":
            raise Refused("INVALID_REQUEST_METHOD")
        self._pay(1)
        return bulk.download(self, job_id) if result else bulk.status(self, job_id)

    def _records(self, call: Call, scopes: frozenset[str], parts: list[str]) -> Reply:
        kind = self.module(parts[0])
        searched = parts[1:] in (["search"], ["actions", "count"])
        self._need_module(scopes, kind.name, *(["ZohoSearch.securesearch."] if searched else []))
        match parts[1:]:
            case []:
                return records.listing(self, call, kind)
            case ["deleted"]:
                return records.deleted(self, call, kind)
            case ["search"]:
                return records.search(self, call, kind)
            case ["actions", "count"]:
                return records.count(self, call, kind)
            case [record_id]:
                return records.single(self, call, kind, record_id)
            case [record_id, "actions", "fetch_full_data"]:
                return records.full_text(self, call, kind, record_id)
            case [record_id, name] if name in kind.related:
                child, lookup = kind.related[name]
                return records.listing(self, call, self.module(child), (lookup, record_id))
        raise Refused("INVALID_URL_PATTERN")
