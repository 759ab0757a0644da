"""A simulator of 纷享销客 Fxiaoke's Open API v2: both styles of credentials, queries, metadata, people, limits.

It follows a written reference of the protocol, not any client; what the reference leaves open is in `switches`. State lives
in memory and may be edited at any moment.
"""

from __future__ import annotations

import itertools
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.crm_sim.clock import Clock
from tests.crm_sim.fxiaoke import directory, query
from tests.crm_sim.fxiaoke.directory import Department, Person
from tests.crm_sim.fxiaoke.faults import NOT_ROUTED, Refused, refused, trace
from tests.crm_sim.fxiaoke.query import Acting
from tests.crm_sim.fxiaoke.schema import SHANGHAI, Field, Kind, default_kinds, kind, stored
from tests.crm_sim.fxiaoke.switches import Limits, Switches
from tests.crm_sim.fxiaoke.tokens import Tokens
from tests.crm_sim.server import Call, Reply, Simulator, json_reply
from tests.crm_sim.store import Row

__all__ = ["Field", "Fxiaoke", "Kind", "Limits", "Person", "Switches", "kind"]

TOKEN_PATHS = {"/oauth2.0/token": "new", "/cgi/corpAccessToken/get/V2": "legacy"}
DATA = {"/cgi/crm/v2/data/": False, "/cgi/crm/custom/v2/data/": True}


class Fxiaoke(Simulator):
    """A tenant of Fxiaoke on a free port; its first person is the integration user, who sees everything.

    Args:
        clock: The vendor's clock.
    """

    def __init__(self, *, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.switches, self.limits = Switches(), Limits()
        self.tokens = Tokens(self.clock, self.switches, self.limits)
        self.app_id, self.app_secret = self.tokens.app_id, self.tokens.app_secret
        self.permanent_code = self.tokens.permanent_code
        self.ea, self.corp_id = "sample", "FSCID_0123456789ABCDEF"
        self.kinds: dict[str, Kind] = default_kinds()
        self.people: dict[str, Person] = {}
        self.employee_of: dict[str, str] = {}  # open user id -> employee number
        self.departments = [Department(directory.ALL, "全公司"), Department(1001, "销售部", directory.ALL)]
        self.turns = itertools.count(1)
        self._ids = 0x66A0_0000_0000_0000_0000_0000
        self._bursts: dict[str, deque[datetime]] = defaultdict(deque)
        self._today: tuple[Any, int] = (None, 0)
        self.employee, self.user = "1000", "FSUID_INTEGRATION"
        self.add_person(self.employee, self.user, "集成用户", sees_all=True)

    # -------------------------------------------------------------------------------- state
    def add_person(self, employee: str, open_id: str, name: str, **more: Any) -> None:
        """An employee; see `Person` for what more can be said."""
        self.people[employee] = Person(employee, open_id, name, changed=self.clock.milliseconds(), **more)
        self.employee_of[open_id] = employee

    def add_kind(self, made: Kind) -> None:
        """One more object, as `kind` makes it."""
        self.kinds[made.name] = made

    def add(self, name: str, values: dict[str, Any], *, at: datetime | None = None, id: str | None = None) -> str:
        """Add a record; moments are aware or milliseconds, people lists of either id.

        Args:
            at: When; create_time and last_modified_time in ``values`` go before it.

        Returns:
            Its id.
        """
        with self.lock:
            of, now = self.kinds[name], at or self.clock.now()
            self._ids += 3
            row = Row(id or f"{self._ids:024x}", {})
            if row.id in of.table.rows:
                raise ValueError(f"{name} {row.id} is there already")
            given = {
                "name": row.id[-8:], "owner": [self.employee], "created_by": [self.employee], "create_time": now,
                "last_modified_by": [self.employee], "last_modified_time": now, "record_type": "default__c",
                "life_status": "normal", "lock_status": "0", "is_deleted": False, "object_describe_api_name": name,
                "tenant_id": "1", "package": "CRM", **values,
            }  # fmt: skip
            row.values = {k: stored(of.fields[k], v, self.employee_of) for k, v in given.items()}
            row.values |= {"_id": row.id, "version": "1"}
            of.table.rows[row.id] = row
            of.table.touched()
            return row.id

    def change(
        self, name: str, record_id: str, values: dict[str, Any], *, at: datetime | None = None, bump: bool = True
    ) -> None:
        """Change a record; without ``bump`` its last_modified_time stays, as after a change of a formula's input."""
        with self.lock:
            of = self.kinds[name]
            row = of.table.rows[record_id]
            row.values |= {k: stored(of.fields[k], v, self.employee_of) for k, v in values.items()}
            if bump and "last_modified_time" not in values:
                moment = at or self.clock.now()
                row.values["last_modified_time"] = stored(of.fields["last_modified_time"], moment, {})
            row.version += 1
            row.values["version"] = str(row.version)
            of.table.touched()

    def invalidate(self, name: str, record_id: str, *, at: datetime | None = None) -> None:
        """作废: the step before a record is deleted."""
        self.change(name, record_id, {"life_status": "invalid"}, at=at, bump=self.switches.delete_modifies)

    def delete(self, name: str, record_id: str, *, at: datetime | None = None, purge: bool = False) -> None:
        """Delete a record; with ``purge`` nothing of it is left."""
        with self.lock:
            values = {"life_status": "invalid", "is_deleted": True}
            self.change(name, record_id, values, at=at, bump=self.switches.delete_modifies)
            if purge:
                del self.kinds[name].table.rows[record_id]

    def restore(self, name: str, record_id: str, *, at: datetime | None = None) -> None:
        """Bring an invalid or deleted record back."""
        values = {"life_status": "normal", "is_deleted": False}
        self.change(name, record_id, values, at=at, bump=self.switches.restore_modifies)

    def records(self, name: str, *, open_ids: bool = True) -> list[dict[str, Any]]:
        """All live records with all fields, as the API shows them to the integration user, by id.

        Args:
            open_ids: People as in the legacy style; else by employee number, as in the new one.
        """
        with self.lock:
            of, acting = self.kinds[name], Acting(self.employee, open_ids)
            live = [
                r for r in of.table.rows.values() if not r.values["is_deleted"] and r.values["life_status"] != "invalid"
            ]
            return [query.render(self, of, row, acting) for row in sorted(live, key=lambda row: row.id)]

    def expire_tokens(self) -> None:
        """All tokens end now."""
        with self.lock:
            self.tokens.expire()

    # -------------------------------------------------------------------------------- calls
    def kind_of(self, call: Call) -> str:
        return "token" if call.path in TOKEN_PATHS else ""

    def _trace(self, user: str = "-10000") -> str:
        return trace(self.ea, user, self.clock.milliseconds())

    def fault_reply(self, kind: str | int) -> Reply:
        if isinstance(kind, int):
            return refused(Refused(kind), self._trace())
        status = int(kind)
        return Reply(status, b"<html><body>error</body></html>", {"Content-Type": "text/html"}, status)

    def answer(self, call: Call) -> Reply:
        if not call.path.startswith(("/cgi/", "/oauth2.0/")):
            return NOT_ROUTED
        try:
            body = call.json() or {}
        except ValueError:
            return Reply(500, b"<html><body>Internal Server Error</body></html>", {"Content-Type": "text/html"}, 500)
        try:
            return self._answer(call, body)
        except Refused as fault:
            return refused(fault, self._trace())

    def _answer(self, call: Call, body: dict[str, Any]) -> Reply:
        if call.path in TOKEN_PATHS and call.method == "POST":
            return self._token(TOKEN_PATHS[call.path], body)
        self._count(call.path)
        if self.switches.trace_required and not call.query.get("thirdTraceId"):
            raise Refused(10006, "the parameter thirdTraceId is missing or illegal")
        route = self._route(call)
        acting, new = self._acting(call, body)
        return route(body, acting, new)

    def _token(self, style: str, body: dict[str, Any]) -> Reply:
        token, left = self.tokens.get(style, body, self.in_flight["token"] > 1)
        common = {"errorCode": 0, "errorMessage": "success", "traceId": self._trace(), "expiresIn": left}
        if style == "legacy":
            return json_reply({**common, "corpAccessToken": token, "corpId": self.corp_id}, code=0)
        more = {"openUserId": self.corp_id, "accessToken": token, "appId": self.app_id, "ea": self.ea}
        return json_reply({**common, **more}, code=0)

    def _count(self, path: str) -> None:
        now = self.clock.now()
        today = now.astimezone(SHANGHAI).date()
        used = self._today[1] if self._today[0] == today else 0
        if used >= self.limits.daily:
            raise Refused(30002)
        recent = self._bursts[path]
        while recent and recent[0] <= now - timedelta(seconds=self.limits.burst_seconds):
            recent.popleft()
        if len(recent) >= self.limits.burst:
            raise Refused(self.switches.burst_code)
        recent.append(now)
        self._today = (today, used + 1)

    def used_today(self) -> int:
        """Calls of the current day that count against the daily quota."""
        return self._today[1]

    def _acting(self, call: Call, body: dict[str, Any]) -> tuple[Acting, bool]:
        """Who asks, and whether in the new style."""
        header = call.headers.get("authorization")
        if header is not None:
            token, user, new = header.removeprefix("Bearer ").strip(), call.headers.get("x-fs-userid", ""), True
            if call.headers.get("x-fs-ea") != self.ea:
                raise Refused(20016)
        else:
            token, user, new = str(body.get("corpAccessToken") or ""), str(body.get("currentOpenUserId") or ""), False
            if not token:
                raise Refused(20017)
            if body.get("corpId") != self.corp_id:
                raise Refused(20016)
        if not self.tokens.known(token):
            raise Refused(20016)
        employee = self.employee_of.get(user, user)
        if not user:
            if call.path.startswith("/cgi/crm/"):
                raise Refused(self.switches.user_missing_code, "currentOpenUserId 不能为空")
            employee = self.employee
        if employee not in self.people:
            raise Refused(self.switches.user_unknown_code, "the openUserId is illegal")
        open_ids = bool(body.get("convertUserId", not new))
        nulls = bool(body.get("includeNull") or (body.get("data") or {}).get("includeNull"))
        return Acting(employee, open_ids, nulls), new

    def _route(self, call: Call) -> Callable[[dict[str, Any], Acting, bool], Reply]:
        unknown = Refused(10006, f"the request uri=[{call.path}],apiName=[null] is not exists")
        if call.method != "POST":
            raise unknown
        for prefix, custom in DATA.items():
            if call.path.startswith(prefix):
                word = call.path.removeprefix(prefix)
                if word not in ("query", "get", "findSimple", "findOne", "invalid", "delete", "recover"):
                    raise unknown
                return lambda body, acting, new: self._data(word, custom, body, acting)
        top: dict[str, Callable[[dict[str, Any], Acting], dict[str, Any]]] = {
            "/cgi/department/list": lambda body, acting: directory.departments(self),
            "/cgi/user/list": lambda body, acting: directory.users(self, body, acting.open_ids),
            "/cgi/user/simpleList": lambda body, acting: directory.users(self, body, acting.open_ids, short=True),
            "/cgi/user/getByMobile": lambda body, acting: directory.by_mobile(self, body, acting.open_ids),
            "/cgi/user/get/batchByUpdTime": lambda body, acting: directory.by_change(self, body, acting.open_ids),
        }
        if call.path in top:
            return lambda body, acting, new: self._good(acting, **top[call.path](body, acting))
        if call.path == "/cgi/crm/v2/object/list":
            return lambda body, acting, new: self._good(acting, data=directory.objects(self))
        if call.path == "/cgi/crm/v2/object/describe":
            return self._describe
        raise unknown

    def _good(self, acting: Acting, **payload: Any) -> Reply:
        head = {
            "traceId": self._trace(acting.employee),
            "errorCode": 0,
            "errorMessage": "OK",
            "errorDescription": "success",
        }
        return json_reply({**head, **payload}, code=0)

    def _describe(self, body: dict[str, Any], acting: Acting, new: bool) -> Reply:
        """In the new style the parameters stand in data, in the legacy style at the top."""
        given = (body.get("data") or {}) if new else body
        name = given.get("apiName")
        if not name:
            raise Refused(10006, "the parameter apiName is missing or illegal")
        if name not in self.kinds:
            raise Refused(self.switches.object_code, f"object {name} not found")
        return self._good(acting, data=directory.describe(self.kinds[name], bool(given.get("includeDetail", True))))

    def _data(self, word: str, custom: bool, body: dict[str, Any], acting: Acting) -> Reply:
        data = body.get("data")
        if not isinstance(data, dict) or not data.get("dataObjectApiName"):
            raise Refused(10006, "the parameter dataObjectApiName is missing or illegal")
        of = self.kinds.get(data["dataObjectApiName"])
        if of is None or of.custom is not custom:
            raise Refused(self.switches.object_code, f"object {data['dataObjectApiName']} not found")
        if word in ("query", "findSimple", "findOne"):
            found = query.run(self, of, data, acting, simple=word != "query")
            if word == "findOne":
                return self._good(acting, data=(found["dataList"] or [None])[0])
            if custom and self.switches.custom_top_level:
                return self._good(acting, **found)
            return self._good(acting, data=found)
        ids = data.get("idList") or [data.get("objectDataId") or data.get("object_data_id")]
        rows = [of.table.rows.get(str(record_id)) for record_id in ids]
        if any(row is None or not query.allowed(self, acting, row) for row in rows):
            raise Refused(self.switches.record_code, "无此操作的数据权限")
        if word == "get":
            row = rows[0]
            assert row is not None
            if row.values.get("is_deleted"):
                raise Refused(self.switches.record_code, "数据已删除")
            return self._good(acting, data=query.render(self, of, row, acting))
        for record_id in map(str, ids):
            {"invalid": self.invalidate, "delete": self.delete, "recover": self.restore}[word](of.name, record_id)
        return self._good(acting)
