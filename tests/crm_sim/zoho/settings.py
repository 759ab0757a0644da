"""Metadata of Zoho: modules, fields, layouts, pipelines, users and the organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zlib import crc32

from tests.crm_sim.server import Call, Reply, json_reply
from tests.crm_sim.zoho.faults import Refused
from tests.crm_sim.zoho.records import NOTHING, per_page, whole_number
from tests.crm_sim.zoho.schema import JSON_TYPE, Field, Module
from tests.crm_sim.zoho.tenant import User

if TYPE_CHECKING:
    from tests.crm_sim.zoho import Zoho

STATUS_OF = {"ActiveUsers": "active", "DeactiveUsers": "inactive", "DeletedUsers": "deleted"}


def number(*words: str) -> str:
    """A stable id for a thing of the metadata."""
    return f"55459740000{crc32('/'.join(words).encode()) % 10**8:08d}"


def _module(kind: Module) -> dict[str, Any]:
    return {
        "id": number(kind.name), "api_name": kind.name, "module_name": kind.name, "singular_label": kind.name.rstrip("s"),
        "plural_label": kind.name, "api_supported": True, "viewable": True, "creatable": True, "editable": True,
        "deletable": True, "visible": True, "generated_type": kind.generated_type, "status": "visible",
    }  # fmt: skip


def _field(kind: Module, f: Field) -> dict[str, Any]:
    choices = [
        {"display_value": v, "actual_value": v, "reference_value": v, "sequence_number": n, "type": "used", "colour_code": None,
         "id": number(kind.name, f.name, v)}
        for n, v in enumerate(f.pick, 1)
    ]  # fmt: skip
    lookup = {}
    if f.data_type == "lookup" and f.lookup:
        target = {"api_name": f.lookup, "id": number(f.lookup)}
        lookup = {
            "module": target,
            "api_name": f"{kind.name}_{f.name}",
            "display_label": f.lookup,
            "id": number(f.name),
        }
    return {
        "id": number(kind.name, f.name), "api_name": f.name, "field_label": f.name.replace("_", " "),
        "display_label": f.name.replace("_", " "), "data_type": "text" if f.data_type == "tags" else f.data_type,
        "json_type": JSON_TYPE.get(f.data_type, "string"), "length": 255, "decimal_place": 2 if f.data_type == "currency" else None,
        "system_mandatory": f.name == kind.named, "custom_field": f.custom, "read_only": f.name == "id", "visible": True,
        "view_type": {"view": True, "edit": f.name != "id", "create": f.name != "id", "quick_create": False},
        "pick_list_values": choices, "lookup": lookup, "multiselectlookup": {}, "unique": {}, "auto_number": {},
        "formula": {"return_type": "double"} if f.data_type == "formula" else {}, "association_details": None,
        "virtual_field": False, "currency": {"precision": 2, "rounding_option": "normal"} if f.data_type == "currency" else {},
    }  # fmt: skip


def modules(sim: Zoho, name: str = "") -> Reply:
    """GET /settings/modules[/{api_name}]; the list holds those too that cannot be read."""
    if name:
        if name not in sim.modules:
            raise Refused("INVALID_MODULE", {"resource_path_index": 2})
        return json_reply({"modules": [_module(sim.modules[name])]})
    return json_reply({"modules": [_module(kind) for kind in sim.modules.values()]})


def fields(sim: Zoho, call: Call) -> Reply:
    """GET /settings/fields?module="""
    name = call.query.get("module")
    if not name:
        raise Refused("REQUIRED_PARAM_MISSING", {"param_name": "module"})
    if name not in sim.modules:
        raise Refused("INVALID_MODULE", {"param_name": "module"})
    kind = sim.modules[name]
    return NOTHING if kind.refuses else json_reply({"fields": [_field(kind, f) for f in kind.fields.values()]})


def layouts(sim: Zoho, call: Call) -> Reply:
    """GET /settings/layouts?module="""
    name = call.query.get("module")
    if not name:
        raise Refused("REQUIRED_PARAM_MISSING", {"param_name": "module"})
    if name not in sim.modules:
        raise Refused("INVALID_MODULE", {"param_name": "module"})
    layout = {
        "id": number(name, "layout"),
        "name": "Standard",
        "display_label": "Standard",
        "visible": True,
        "status": "active",
    }
    return json_reply({"layouts": [layout]})


def pipeline(sim: Zoho, call: Call) -> Reply:
    """GET /settings/pipeline?layout_id=: which stage means open, won or lost."""
    layout = call.query.get("layout_id")
    if not layout:
        raise Refused("REQUIRED_PARAM_MISSING", {"param_name": "layout_id"})
    if layout != number("Deals", "layout"):
        raise Refused("INVALID_DATA", {"param_name": "layout_id"})
    shown = []
    for name, stages in sim.pipelines.items():
        maps = [
            {"display_value": s.name, "actual_value": s.name, "sequence_number": n, "colour_code": None, "id": number(name, s.name),
             "forecast_type": s.forecast,
             "forecast_category": {"name": "Closed" if s.forecast == "Closed Won" else "Pipeline", "id": number(s.forecast)}}
            for n, s in enumerate(stages, 1)
        ]  # fmt: skip
        shown.append(
            {"display_value": name, "actual_value": name, "id": number(name), "default": not shown, "maps": maps}
        )
    return json_reply({"pipeline": shown})


def _user(sim: Zoho, user: User) -> dict[str, Any]:
    first, _, last = user.name.rpartition(" ")
    return {
        "id": user.id, "full_name": user.name, "first_name": first or None, "last_name": last, "email": user.email,
        "status": user.status, "role": {"name": user.role, "id": number("role", user.role)}, "zuid": user.id[-8:], "Reporting_To": None,
        "profile": {"name": "Administrator", "id": number("profile")}, "time_zone": sim.zone_name, "locale": "en_US",
        "created_time": sim.render.moment(sim.started), "Modified_Time": sim.render.moment(sim.started),
        "Created_By": sim.actor(), "Modified_By": sim.actor(), "confirm": True,
    }  # fmt: skip


def users(sim: Zoho, call: Call, user_id: str = "") -> Reply:
    """GET /users[/{id}]"""
    found = list(sim.users.values())
    if user_id:
        found = [user for user in found if user.id == user_id]
        return json_reply({"users": [_user(sim, user) for user in found]}) if found else NOTHING
    kind = call.query.get("type", "AllUsers")
    if kind == "CurrentUser":
        found = found[:1]
    elif kind in STATUS_OF:
        found = [user for user in found if user.status == STATUS_OF[kind]]
    elif kind not in ("AllUsers", "AdminUsers", "ActiveConfirmedUsers", "ConfirmedUsers"):
        raise Refused("INVALID_DATA", {"param_name": "type"})
    rows, page = per_page(sim, call), whole_number(call, "page", 1)
    shown = found[(page - 1) * rows : page * rows]
    if not shown:
        return NOTHING
    info = {"per_page": rows, "count": len(shown), "page": page, "more_records": len(found) > page * rows}
    return json_reply({"users": [_user(sim, user) for user in shown], "info": info})


def org(sim: Zoho) -> Reply:
    """GET /org"""
    shown = {
        "id": number("org"), "zgid": number("zgid"), "company_name": "Sample", "time_zone": sim.zone_name, "currency": "Euro",
        "iso_code": "EUR", "currency_symbol": "€", "mc_status": True,
        "license_details": {"paid": True, "paid_type": sim.edition, "trial_type": None, "users_license_purchased": 20},
    }  # fmt: skip
    return json_reply({"org": [shown]})
