"""Reading records of Zoho: lists and their two ways of paging, single records, deleted ones, search and count."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.crm_sim.server import Call, Reply, json_reply
from tests.crm_sim.store import Row
from tests.crm_sim.zoho import criteria
from tests.crm_sim.zoho.coql import Group, Test, _leaves, holds
from tests.crm_sim.zoho.faults import Refused
from tests.crm_sim.zoho.schema import Field, Module, comparable, compared

if TYPE_CHECKING:
    from tests.crm_sim.zoho import Zoho

NOTHING = Reply(204)
SORTABLE = ("id", "Created_Time", "Modified_Time")
EARLY = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class PageToken:
    """Where a list goes on: bound to its parameters, and good for a day."""

    bound: tuple[Any, ...]
    rows: int
    after: Any  # key of the last row
    page: int
    until: datetime


def ordered(kind: Module, name: str) -> tuple[list[Any], list[Row]]:
    """All rows by a field and the id, ascending; empty values first."""
    f = kind.fields[name]

    def key(row: Row) -> Any:
        value = compared(f, row)
        return (int(row.id),) if name == "id" else (value is not None, value if value is not None else 0, int(row.id))

    return kind.table.by(name, key)


def matcher(kind: Module, node: Group | Test | None) -> Any:
    """A function that says whether a row fits, with the literals read once.

    Raises:
        Refused: INVALID_QUERY for a column that the module lacks or a value that does not fit.
    """
    literals: dict[tuple[str, str], Any] = {}
    for test in _leaves(node) if node else []:
        f = kind.fields.get(test.column)
        if f is None:
            raise Refused("INVALID_QUERY", {"column_name": test.column})
        for text in test.operands:
            try:
                literals[test.column, text] = comparable(f, text)
            except ValueError:
                raise Refused("INVALID_QUERY", {"column_name": test.column, "value": text}) from None
    return lambda row: holds(
        node, lambda name: compared(kind.fields[name], row), lambda name, text: literals[name, text]
    )


def whole_number(call: Call, name: str, default: int) -> int:
    """A parameter that is a number from 1 on.

    Raises:
        Refused: INVALID_DATA.
    """
    text = call.query.get(name)
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise Refused("INVALID_DATA", {"expected_data_type": "integer", "param_name": name})
    return int(text)


def since(call: Call) -> datetime | None:
    """The moment of the header If-Modified-Since.

    Raises:
        Refused: INVALID_DATA.
    """
    text = call.headers.get("if-modified-since")
    if text is None:
        return None
    try:
        return comparable(Field("", "datetime"), text)
    except ValueError:
        raise Refused("INVALID_DATA", {"header": "If-Modified-Since"}) from None


def per_page(sim: Zoho, call: Call) -> int:
    """Rows per page, at most 200."""
    rows = whole_number(call, "per_page", sim.limits.per_page)
    if rows > sim.limits.per_page and sim.switches.per_page_over == "error":
        raise Refused("INVALID_DATA", {"maximum_length": sim.limits.per_page, "param_name": "per_page"})
    return min(rows, sim.limits.per_page)


def asked(sim: Zoho, call: Call, kind: Module) -> list[str]:
    """The fields of a list; old versions of the API do without the parameter.

    Raises:
        Refused: REQUIRED_PARAM_MISSING or LIMIT_EXCEEDED.
    """
    names = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    if not names:
        if sim.version(call) < 3:
            return list(kind.fields)
        raise Refused("REQUIRED_PARAM_MISSING", {"param_name": "fields"})
    if len(names) > sim.limits.fields:
        raise Refused("LIMIT_EXCEEDED", {"limit": sim.limits.fields, "param_name": "fields"})
    return names


def listing(sim: Zoho, call: Call, kind: Module, only: tuple[str, str] | None = None) -> Reply:
    """GET /{module}; ``only`` = (lookup, id) for a related list."""
    names, rows, given = asked(sim, call, kind), per_page(sim, call), call.query
    if "page" in given and "page_token" in given:
        raise Refused("AMBIGUITY_DURING_PROCESSING", {"param_names": ["page", "page_token"]})
    if "cvid" in given:
        if "sort_by" in given:
            raise Refused("AMBIGUITY_DURING_PROCESSING", {"param_names": ["cvid", "sort_by"]})
        raise Refused("INVALID_DATA", {"param_name": "cvid"})
    sort_by, descending = given.get("sort_by", "id"), given.get("sort_order", "desc") != "asc"
    if sort_by not in SORTABLE or sort_by not in kind.fields or given.get("sort_order", "asc") not in ("asc", "desc"):
        raise Refused("INVALID_DATA", {"param_name": "sort_by" if sort_by not in SORTABLE else "sort_order"})
    moment = since(call)
    bound = (call.path, tuple(sorted((k, v) for k, v in given.items() if k not in ("page", "page_token"))), moment)
    done, page, after = _from_where(sim, call, rows, bound)

    found = _rows(kind, sort_by, descending, after if sim.switches.paging == "keyset" else None)
    if moment is not None and kind.modified:
        found = (row for row in found if (row.values.get("Modified_Time") or EARLY) >= moment)
    if "ids" in given:
        wanted = set(given["ids"].split(","))
        found = (row for row in found if row.id in wanted)
    if only:
        found = (row for row in found if row.values.get(only[0]) == only[1])
    skipped = 0 if after is not None and sim.switches.paging == "keyset" else done
    found = islice(found, skipped, None)
    shown = list(islice(found, rows))
    if not shown:
        return Reply(304) if moment is not None and page == 1 else NOTHING
    more = next(found, None) is not None
    until = sim.clock.now() + timedelta(hours=sim.limits.token_hours)
    token = None
    if more:
        token = secrets.token_hex(40)
        sim.page_tokens[token] = PageToken(bound, done + len(shown), _key(kind, sort_by, shown[-1]), page + 1, until)
    info = {
        "call": False, "per_page": rows, "next_page_token": token, "count": len(shown), "sort_by": sort_by, "page": page,
        "previous_page_token": given.get("page_token"), "page_token_expiry": sim.render.moment(until) if more else None,
        "sort_order": "desc" if descending else "asc", "email": False, "more_records": more,
    }  # fmt: skip
    return json_reply({"data": [sim.render.record(kind, row, names) for row in shown], "info": info})


def _from_where(sim: Zoho, call: Call, rows: int, bound: tuple[Any, ...]) -> tuple[int, int, Any]:
    """Rows that came before, number of the page, and the key of the last row before."""
    if text := call.query.get("page_token"):
        token = sim.page_tokens.get(text)
        if token is None:
            raise Refused("INVALID_DATA", {"param_name": "page_token"})
        if token.until <= sim.clock.now():
            raise Refused("EXPIRED_VALUE", {"param_name": "page_token"})
        if token.bound != bound:
            raise Refused("TOKEN_BOUND_DATA_MISMATCH", {"param_name": "page_token"})
        if token.rows >= sim.limits.token_rows:
            raise Refused("PAGINATION_LIMIT_EXCEEDED", {"limit": sim.limits.token_rows})
        return token.rows, token.page, token.after
    page = whole_number(call, "page", 1)
    if (page - 1) * rows >= sim.limits.page_rows:
        raise Refused("DISCRETE_PAGINATION_LIMIT_EXCEEDED", {"limit": sim.limits.page_rows})
    return (page - 1) * rows, page, None


def _key(kind: Module, sort_by: str, row: Row) -> Any:
    value = compared(kind.fields[sort_by], row)
    number = int(row.id)
    return (number,) if sort_by == "id" else (value is not None, value if value is not None else 0, number)


def _rows(kind: Module, sort_by: str, descending: bool, after: Any) -> Iterator[Row]:
    keys, rows = ordered(kind, sort_by)
    for place in range(len(rows) - 1, -1, -1) if descending else range(len(rows)):
        if after is None or (keys[place] < after if descending else keys[place] > after):
            yield rows[place]


def single(sim: Zoho, call: Call, kind: Module, record_id: str) -> Reply:
    """GET /{module}/{id}: with the fields that lists leave out."""
    row = kind.table.rows.get(record_id)
    if row is None:
        if not record_id.isdigit():
            raise Refused("INVALID_DATA", {"resource_path_index": 1})
        return NOTHING
    names = [n for n in call.query.get("fields", "").split(",") if n] or list(kind.fields)
    return json_reply({"data": [sim.render.record(kind, row, names, whole=True)]})


def full_text(sim: Zoho, call: Call, kind: Module, record_id: str) -> Reply:
    """GET /{module}/{id}/actions/fetch_full_data: rich texts uncut."""
    row = kind.table.rows.get(record_id)
    if row is None:
        return NOTHING
    names = [f.name for f in kind.fields.values() if f.rich]
    if given := call.query.get("fields"):
        names = [name for name in names if name in given.split(",")]
    return json_reply({"data": [sim.render.record(kind, row, names, whole=True)]})


def deleted(sim: Zoho, call: Call, kind: Module) -> Reply:
    """GET /{module}/deleted, the latest first."""
    wanted = call.query.get("type", "all")
    if wanted not in ("all", "recycle", "permanent"):
        raise Refused("INVALID_DATA", {"param_name": "type"})
    rows, page, moment = per_page(sim, call), whole_number(call, "page", 1), since(call)
    days = sim.switches.deleted_days
    oldest = EARLY if days is None else sim.clock.now() - timedelta(days=days)
    found = [
        gone.facts
        for gone in kind.table.gone.values()
        if wanted in ("all", gone.facts["type"])
        and gone.facts["deleted_time"] >= oldest
        and (moment is None or gone.facts["deleted_time"] >= moment)
    ]
    found.sort(key=lambda facts: (facts["deleted_time"], int(facts["id"])), reverse=True)
    shown = found[(page - 1) * rows : page * rows]
    if not shown:
        return Reply(304) if moment is not None and page == 1 else NOTHING
    data = [{**facts, "deleted_time": sim.render.moment(facts["deleted_time"])} for facts in shown]
    info = {"per_page": rows, "count": len(shown), "page": page, "more_records": len(found) > page * rows}
    return json_reply({"data": data, "info": info})


def _searched(sim: Zoho, call: Call, kind: Module, needed: bool) -> list[Row]:
    given = call.query
    words = [name for name in ("criteria", "email", "phone", "word") if given.get(name)]
    if not words and needed:
        raise Refused("EXPECTED_PARAM_MISSING", {"param_names": ["criteria", "email", "phone", "word"]})
    fits = matcher(kind, criteria.of_search(given["criteria"])) if "criteria" in words else lambda row: True
    indexed = sim.clock.now() - timedelta(seconds=sim.switches.search_lag)
    found = [
        row
        for row in reversed(ordered(kind, "id")[1])
        if (row.values.get("Modified_Time") or EARLY) <= indexed or not needed
    ]
    for name in set(words) - {"criteria"}:
        types = {"email": ("email",), "phone": ("phone",), "word": ("text", "email", "phone", "picklist", "textarea")}
        columns = [f.name for f in kind.fields.values() if f.data_type in types[name]]
        text = given[name].lower()
        found = [
            row
            for row in found
            if any(
                text in str(row.values.get(c) or "").lower() if name == "word" else row.values.get(c) == given[name]
                for c in columns
            )
        ]
    return [row for row in found if fits(row)]


def search(sim: Zoho, call: Call, kind: Module) -> Reply:
    """GET /{module}/search: late by the lag of its index, and 2,000 rows at most."""
    rows, page = per_page(sim, call), whole_number(call, "page", 1)
    if (page - 1) * rows >= sim.limits.search_rows:
        raise Refused("LIMIT_REACHED", {"limit": str(sim.limits.search_rows)})
    found = _searched(sim, call, kind, True)
    shown = found[(page - 1) * rows : page * rows]
    if not shown:
        return NOTHING
    names = [n for n in call.query.get("fields", "").split(",") if n] or list(kind.fields)
    info = {"per_page": rows, "count": len(shown), "page": page, "more_records": len(found) > page * rows}
    return json_reply({"data": [sim.render.record(kind, row, names) for row in shown], "info": info})


def count(sim: Zoho, call: Call, kind: Module) -> Reply:
    """GET /{module}/actions/count"""
    return json_reply({"count": len(_searched(sim, call, kind, False))})
