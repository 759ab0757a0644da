"""Metadata and people of Fxiaoke."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.crm_sim.fxiaoke.faults import Refused
from tests.crm_sim.fxiaoke.schema import Field, Kind

if TYPE_CHECKING:
    from tests.crm_sim.fxiaoke import Fxiaoke

ALL = 999_999


@dataclass
class Person:
    """An employee: number, open user id, name; ``sees_all`` or own records only."""

    employee: str
    open_id: str
    name: str
    mobile: str = ""
    department: int = ALL
    stopped: bool = False
    sees_all: bool = False
    changed: int = 0  # milliseconds


@dataclass(frozen=True)
class Department:
    id: int
    name: str
    parent: int = 0


def objects(sim: Fxiaoke) -> dict[str, Any]:
    """/cgi/crm/v2/object/list"""
    shown = [
        {"describeApiName": kind.name, "describeDisplayName": kind.label, "isActive": True, "iconPath": "", "iconIndex": 0,
         "defineType": "custom" if kind.custom else "package", "hideButton": False, "publicObject": False}
        for kind in sim.kinds.values()
    ]  # fmt: skip
    return {"objects": shown}


def _field(f: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "api_name": f.name, "label": f.label or f.name, "type": f.type, "is_required": f.name == "name", "is_active": True,
        "define_type": f.define_type,
    }  # fmt: skip
    if f.options:
        shown["options"] = [{"label": label, "value": value, "child_options": []} for value, label in f.options.items()]
    if f.target:
        shown["target_api_name"] = f.target
    if f.type in ("number", "currency", "percentile"):
        shown["decimal_places"] = 2
    if f.type in ("date", "date_time"):
        shown |= {"date_format": "yyyy-MM-dd" if f.type == "date" else "yyyy-MM-dd HH:mm", "time_zone": "GMT+8"}
    return shown


def describe(kind: Kind, detail: bool) -> dict[str, Any]:
    """/cgi/crm/v2/object/describe"""
    shown: dict[str, Any] = {"api_name": kind.name, "display_name": kind.label}
    if detail:
        shown["fields"] = {f.name: _field(f) for f in kind.fields.values()}
    return {"describe": shown}


def departments(sim: Fxiaoke) -> dict[str, Any]:
    """/cgi/department/list"""
    rows = [
        {"id": d.id, "name": d.name, "parentId": d.parent, "isStop": False, "order": n}
        for n, d in enumerate(sim.departments)
    ]
    return {"departments": rows}


def _short(person: Person, open_ids: bool) -> dict[str, Any]:
    shown = person.open_id if open_ids else person.employee
    return {"openUserId": shown, "name": person.name, "nickName": person.name, "isStop": person.stopped}


def users(sim: Fxiaoke, body: dict[str, Any], open_ids: bool, *, short: bool = False) -> dict[str, Any]:
    """/cgi/user/list and /cgi/user/simpleList"""
    department = body.get("departmentId")
    if department is None:
        raise Refused(10006, "the parameter departmentId is missing or illegal")
    found = [p for p in sim.people.values() if int(department) in (ALL, p.department)]
    if short:
        return {"userList": [_short(person, open_ids) for person in found]}
    rows = [
        {**_short(p, open_ids), "account": p.employee, "email": "", "mobile": p.mobile, "gender": "M", "position": "",
         "departmentIds": [p.department], "mainDepartmentId": p.department, "employeeNumber": p.employee}
        for p in found
    ]  # fmt: skip
    return {"userList": rows}


def by_mobile(sim: Fxiaoke, body: dict[str, Any], open_ids: bool) -> dict[str, Any]:
    """/cgi/user/getByMobile"""
    found = [p for p in sim.people.values() if p.mobile and p.mobile == body.get("mobile")]
    rows = [
        {**_short(p, open_ids), "enterpriseId": 1, "account": p.employee, "fullName": p.name, "mobile": p.mobile, "email": "",
         "status": "STOP" if p.stopped else "NORMAL", "isActive": True, "mainDepartmentIds": [p.department],
         "departmentIds": [p.department]}
        for p in found
    ]  # fmt: skip
    return {"empList": rows}


def by_change(sim: Fxiaoke, body: dict[str, Any], open_ids: bool) -> dict[str, Any]:
    """/cgi/user/get/batchByUpdTime"""
    page, size = int(body.get("pageNumber", 1)), int(body.get("pageSize", 20))
    if page < 1 or not 1 <= size <= sim.limits.employees:
        raise Refused(sim.switches.limit_code, "pageNumber or pageSize is illegal")
    start, end = int(body.get("startTime", 0)), int(body.get("endTime", sim.clock.milliseconds()))
    found = [p for p in sim.people.values() if start <= p.changed <= end]
    rows = [_short(p, open_ids) for p in found[(page - 1) * size : page * size]]
    return {"employees": rows, "pageCount": -(-len(found) // size), "totalCount": len(found)}
