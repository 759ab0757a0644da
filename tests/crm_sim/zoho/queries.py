"""POST /coql: a parsed query over the records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tests.crm_sim.server import Call, Reply, json_reply
from tests.crm_sim.store import Row
from tests.crm_sim.zoho.coql import Group, Query, Test, holds, parse
from tests.crm_sim.zoho.faults import Refused
from tests.crm_sim.zoho.records import NOTHING, ordered
from tests.crm_sim.zoho.schema import SINGLE_ONLY, Field, Module, comparable, compared

if TYPE_CHECKING:
    from tests.crm_sim.zoho import Zoho

BOUND = {">=", ">", "="}  # operators whose literal is the least value


def text_of(call: Call) -> tuple[str, list[str]]:
    """The query of a call and the metadata it asks for; the content type does not matter.

    Raises:
        Refused: MANDATORY_NOT_FOUND or INVALID_DATA.
    """
    try:
        body = call.json()
    except ValueError:
        raise Refused("INVALID_DATA", {"expected_data_type": "jsonobject"}) from None
    if not isinstance(body, dict) or "select_query" not in body:
        raise Refused("MANDATORY_NOT_FOUND", {"api_name": "select_query"})
    if not isinstance(body["select_query"], str):
        details = {"expected_data_type": "text", "api_name": "select_query", "json_path": "$.select_query"}
        raise Refused("INVALID_DATA", details)
    return body["select_query"], body.get("include_meta") or []


def credits_of(rows: int) -> int:
    """Cost of a query by its limit."""
    return 1 if rows <= 200 else 2 if rows <= 1000 else 3


def prepare(sim: Zoho, call: Call) -> tuple[Query, Module, list[str]]:
    """Parse a call's query and hold it against the limits.

    Raises:
        Refused: For whatever the product refuses.
    """
    text, meta = text_of(call)
    query, limits = parse(text, pairs=sim.switches.coql_pairs), sim.limits
    kind = sim.module(query.module)
    if query.where is None and sim.switches.coql_where_required:
        raise Refused("SYNTAX_ERROR", {"clause": "where"})
    for name, size, most in (
        ("select", len(query.columns), limits.coql_fields),
        ("criteria", len(query.tests()), limits.coql_criteria),
        ("order by", len(query.order), limits.coql_order),
        ("in", max((len(t.operands) for t in query.tests()), default=0), limits.coql_in),
    ):
        if size > most:
            raise Refused("LIMIT_EXCEEDED", {"clause": name, "limit": most})
    if query.limit is not None and not 1 <= query.limit <= limits.coql_rows:
        raise Refused("INVALID_QUERY", {"limit": limits.coql_rows})
    if query.offset + (query.limit or 0) > limits.coql_offset:
        raise Refused("LIMIT_EXCEEDED", {"clause": "offset", "limit": limits.coql_offset})
    columns = [*query.columns, *(t.column for t in query.tests()), *(c for c, _ in query.order)]
    for name in [*columns, *(c for _, c in query.aggregates)]:
        field_of(sim, kind, name)
    for test in query.tests():
        f = field_of(sim, kind, test.column)[-1]
        for operand in test.operands:
            try:
                comparable(f, operand)
            except ValueError:
                raise Refused("INVALID_QUERY", {"column_name": test.column, "value": operand}) from None
    return query, kind, meta


def field_of(sim: Zoho, kind: Module, name: str) -> list[Field]:
    """The fields that a column with dots runs through.

    Raises:
        Refused: INVALID_QUERY for a column that does not exist or cannot be read so.
    """
    path: list[Field] = []
    here = kind
    parts = name.split(".")
    for place, part in enumerate(parts):
        f = here.fields.get(part)
        if f is None and part == "id" and path:
            f = Field("id", "bigint")
        if f is None or not f.coql or f.data_type in SINGLE_ONLY:
            raise Refused("INVALID_QUERY", {"column_name": name})
        path.append(f)
        if place < len(parts) - 1 and f.data_type == "lookup" and f.lookup:
            here = sim.modules[f.lookup]
    if len(parts) - 1 > sim.switches.coql_joins:
        raise Refused("INVALID_QUERY", {"column_name": name, "reason": "joins"})
    return path


def value_of(sim: Zoho, kind: Module, path: list[Field], row: Row) -> Any:
    """The value at the end of a path, in the form of `comparable`."""
    for f in path[:-1]:
        target = row.values.get(f.name)
        found = sim.modules[f.lookup].table.rows.get(target or "") if f.lookup else None
        if found is None:
            return int(target) if target and path[-1].name == "id" else None
        row = found
    return compared(path[-1], row)


def _least(node: Group | Test | None, column: str) -> str | None:
    """A literal below which no row of the column can fit, if the conditions say so."""
    if isinstance(node, Test):
        return str(node.operands[0]) if node.column == column and node.operator in (*BOUND, "between") else None
    if node is not None and node.joined == "and":
        return next((found for part in node.parts if (found := _least(part, column)) is not None), None)
    return None


def _candidates(kind: Module, query: Query) -> Iterator[Row]:
    """Rows by the first column of the order, ascending, from the least value on that can fit."""
    first = query.order[0][0] if query.order else "id"
    keys, rows = ordered(kind, first)
    text = _least(query.where, first)
    start = 0
    if text is not None:
        least = comparable(kind.fields[first], text)
        key = (least,) if first == "id" else (True, least)
        low, high = 0, len(keys)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if keys[middle] < key else (low, middle)
        start = low
    return iter(rows[start:])


def coql(sim: Zoho, query: Query, kind: Module, meta: list[str]) -> Reply:
    """The answer to a query."""
    paths = {t.column: field_of(sim, kind, t.column) for t in query.tests()}
    literals = {(t.column, o): comparable(paths[t.column][-1], o) for t in query.tests() for o in t.operands}

    def fits(row: Row) -> bool:
        return holds(
            query.where,
            lambda name: value_of(sim, kind, paths[name], row),
            lambda name, text: literals[name, text],
        )

    if query.aggregates:
        return _aggregated(sim, query, kind, [row for row in kind.table.rows.values() if fits(row)])
    limit = query.limit or sim.limits.coql_default
    last = query.offset + limit + 1
    # With a plain order the candidates come sorted, and reading may stop early.
    plain = [(c, a) for c, a in query.order if c != "id" or len(query.order) == 1]
    sorted_already = all(a for _, a in query.order) and len(plain) <= 1 and all("." not in c for c, _ in query.order)
    if sorted_already and query.order[:1] != [("id", True)] and len(query.order) == 2:
        sorted_already = query.order[1] == ("id", True)
    if sorted_already:
        found = []
        for row in _candidates(kind, query):
            if fits(row):
                found.append(row)
                if len(found) == last:
                    break
    else:
        found = [row for row in ordered(kind, "id")[1] if fits(row)]
        for column, ascending in reversed(query.order):
            path = field_of(sim, kind, column)

            def key(row: Row, path: list[Field] = path) -> Any:
                value = value_of(sim, kind, path, row)
                return (value is not None, value if value is not None else 0)

            found.sort(key=key, reverse=not ascending)
    shown = found[query.offset : query.offset + limit]
    if not shown:
        return NOTHING
    body: dict[str, Any] = {
        "data": [_shown(sim, query, kind, row) for row in shown],
        "info": {"count": len(shown), "more_records": len(found) > query.offset + limit},
    }
    if "fields" in meta:
        body["fields"] = {c: {"data_type": field_of(sim, kind, c)[-1].data_type, "api_name": c} for c in query.columns}
    return json_reply(body)


def _shown(sim: Zoho, query: Query, kind: Module, row: Row) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name in query.columns:
        path = field_of(sim, kind, name)
        if len(path) > 1:
            value = value_of(sim, kind, path, row)
            f = path[-1]
            shown[name] = str(value) if f.name == "id" and value is not None else sim.render.json(f, value)
            continue
        f = path[0]
        value = row.id if f.name == "id" else sim.render.json(f, row.values.get(f.name))
        if isinstance(value, dict) and "id" in value and not sim.switches.coql_lookup_names:
            value = {"id": value["id"]}
        shown[name] = value
    shown.setdefault("id", row.id)
    return shown


def _aggregated(sim: Zoho, query: Query, kind: Module, rows: list[Row]) -> Reply:
    shown: dict[str, Any] = {}
    for function, column in query.aggregates:
        path = field_of(sim, kind, column)
        values = [v for row in rows if (v := value_of(sim, kind, path, row)) is not None]
        if function == "count":
            value: Any = len(values)
        elif function in ("sum", "max", "min", "avg"):
            of: Any = {"sum": sum, "max": max, "min": min, "avg": lambda v: sum(v) / len(v)}[function]
            value = of(values) if values else None
            value = sim.render.moment(value) if hasattr(value, "tzinfo") else value
        else:
            raise Refused("SYNTAX_ERROR", {"clause": "select"})
        shown[f"{function.upper()}({column})"] = value
    return json_reply({"data": [shown], "info": {"count": 1, "more_records": False}})
