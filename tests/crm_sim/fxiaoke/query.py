"""Queries of Fxiaoke: filters, orders, offset; rows as the acting user may see them."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

from tests.crm_sim.fxiaoke.faults import Refused
from tests.crm_sim.fxiaoke.schema import LABELLED, PEOPLE, REFERENCES, Field, Kind, comparable
from tests.crm_sim.store import Row

if TYPE_CHECKING:
    from tests.crm_sim.fxiaoke import Fxiaoke

SIMPLE: dict[str, Callable[[Any, Any], bool]] = {
    "EQ": lambda a, b: a == b, "N": lambda a, b: a != b, "GT": lambda a, b: a > b, "GTE": lambda a, b: a >= b,
    "LT": lambda a, b: a < b, "LTE": lambda a, b: a <= b, "LIKE": lambda a, b: str(b) in str(a),
    "NLIKE": lambda a, b: str(b) not in str(a), "STARTWITH": lambda a, b: str(a).startswith(str(b)),
    "ENDWITH": lambda a, b: str(a).endswith(str(b)), "CONTAINS": lambda a, b: str(b) in str(a),
}  # fmt: skip
OPERATORS = {*SIMPLE, "IS", "ISN", "IN", "NIN", "BETWEEN", "NBETWEEN", "HASANYOF", "NHASANYOF", "EXISTS", "NEXISTS"}
COMPUTED = {"formula", "count", "quote"}


@dataclass(frozen=True)
class Acting:
    """Who asks: employee number, whether people show as open user ids, whether empty fields show."""

    employee: str
    open_ids: bool
    nulls: bool = False


@dataclass(frozen=True)
class Filter:
    """A condition with its operands ready to compare."""

    field: Field
    operator: str
    operands: tuple[Any, ...]

    def holds(self, value: Any, between: str) -> bool:
        """Whether a comparable value fits."""
        operator, given = self.operator, self.operands
        if operator in ("IS", "NEXISTS"):
            return value in (None, "", [])
        if operator in ("ISN", "EXISTS"):
            return value not in (None, "", [])
        if value is None:
            return operator in ("N", "NIN", "NLIKE", "NHASANYOF", "NBETWEEN")
        values = value if isinstance(value, list) else [value]
        if operator in ("IN", "HASANYOF") or (operator == "EQ" and isinstance(value, list)):
            return any(v in given for v in values)
        if operator in ("NIN", "NHASANYOF") or (operator == "N" and isinstance(value, list)):
            return not any(v in given for v in values)
        if operator in ("BETWEEN", "NBETWEEN"):
            low = given[0] < value or (between in ("both", "lower") and given[0] == value)
            high = value < given[1] or (between == "both" and given[1] == value)
            return (low and high) == (operator == "BETWEEN")
        return any(SIMPLE[operator](v, given[0]) for v in values)


def filters_of(sim: Fxiaoke, kind: Kind, given: Any) -> list[Filter]:
    """The conditions of a query; all must hold.

    Raises:
        Refused: A field or operator that does not exist, or operands that do not fit.
    """
    found = []
    for condition in given or []:
        f = kind.fields.get(condition.get("field_name", ""))
        operator, operands = str(condition.get("operator", "")).upper(), condition.get("field_values")
        if f is None:
            raise Refused(sim.switches.field_code, f"field {condition.get('field_name')} not found")
        needed = 2 if "BETWEEN" in operator else 0 if operator in ("IS", "ISN", "EXISTS", "NEXISTS") else 1
        if operator not in OPERATORS or not isinstance(operands or [], list) or len(operands or []) < needed:
            raise Refused(sim.switches.limit_code, f"illegal filter on {f.name}")
        if f.type == "employee":
            operands = [sim.employee_of.get(str(v), str(v)) for v in operands or []]
        try:
            ready = tuple(comparable(f, v) for v in operands or [])
        except ValueError:
            raise Refused(sim.switches.limit_code, f"illegal filter on {f.name}") from None
        found.append(Filter(f, operator, ready))
    return found


def _sort_key(f: Field) -> Callable[[Row], Any]:
    def key(row: Row) -> Any:
        value = comparable(f, row.values.get(f.name))
        return (value is not None, value if value is not None else 0)

    return key


def _sorted(sim: Fxiaoke, kind: Kind, orders: list[tuple[Field, bool]], filters: list[Filter]) -> Iterator[Row]:
    """Rows in order; a bound on the first field of an ascending order saves looking at those below it."""
    ways = {ascending for _, ascending in orders}
    if sim.switches.ties == "shuffled" or len(ways) > 1:
        turn = next(sim.turns) if sim.switches.ties == "shuffled" else 0
        rows = sorted(kind.table.rows.values(), key=lambda row: crc32(f"{turn}{row.id}".encode()) if turn else row.id)
        for f, ascending in reversed(orders):
            rows.sort(key=_sort_key(f), reverse=not ascending)
        return iter(rows)
    keys = [_sort_key(f) for f, _ in orders]
    name = " ".join(f.name for f, _ in orders)
    sort_keys, rows = kind.table.by(name, lambda row: (*(key(row) for key in keys), row.id))
    if not ways.pop():
        return reversed(rows)
    first = orders[0][0]
    least = [c.operands[0] for c in filters if c.field is first and c.operator in ("GT", "GTE", "EQ", "BETWEEN")]
    start = bisect_left(sort_keys, ((True, max(least)),)) if least else 0
    most = [c.operands[-1] for c in filters if c.field is first and c.operator in ("LT", "LTE", "EQ", "BETWEEN")]
    end = bisect_left(sort_keys, ((True, min(most)), "\uffff"), start) if most and len(orders) == 1 else len(rows)
    return itertools.islice(rows, start, end)


def visible(sim: Fxiaoke, row: Row) -> bool:
    """Whether a query may return a row that is invalid or deleted."""
    if row.values.get("is_deleted"):
        return sim.switches.deleted_rows == "shown"
    return row.values.get("life_status") != "invalid" or sim.switches.invalid_rows == "shown"


def allowed(sim: Fxiaoke, acting: Acting, row: Row) -> bool:
    """Whether the acting user's rights reach a row."""
    return sim.people[acting.employee].sees_all or acting.employee in (row.values.get("owner") or [])


def render(sim: Fxiaoke, kind: Kind, row: Row, acting: Acting, names: list[str] | None = None) -> dict[str, Any]:
    """A row as the API shows it; empty fields are left out unless asked for."""
    shown: dict[str, Any] = {"_id": row.id}
    for f in kind.fields.values():
        if (names and f.name not in names) or f.name == "_id":
            continue
        value = row.values.get(f.name)
        if value is None:
            if acting.nulls:
                shown[f.name] = None
            continue
        if f.type == "employee" and acting.open_ids:
            value = [sim.people[p].open_id if p in sim.people else p for p in value]
        shown[f.name] = value
        label = f.options.get(str(value)) if f.type in LABELLED or f.options else None
        if f.type in REFERENCES and f.target:
            target = sim.kinds[f.target].table.rows.get(value)
            label = target.values.get("name") if target else None
        if label is not None and f.type not in PEOPLE:
            shown[f"{f.name}__r"] = label
    return shown


def run(sim: Fxiaoke, kind: Kind, data: dict[str, Any], acting: Acting, *, simple: bool = False) -> dict[str, Any]:
    """The answer to a query: offset, limit, total and dataList.

    Raises:
        Refused: The query does not fit.
    """
    asked = data.get("search_query_info")
    if isinstance(asked, str):  # the old wiki sends it as text
        asked = None
    if not isinstance(asked, dict):
        raise Refused(sim.switches.query_missing_code, "searchQueryInfo is empty")
    limit, offset = asked.get("limit", sim.limits.page_default), asked.get("offset", 0)
    if not all(isinstance(n, int) and n >= 0 for n in (limit, offset)) or limit == 0:
        raise Refused(sim.switches.limit_code, "limit or offset is illegal")
    if limit > sim.limits.page:
        if sim.switches.limit_over == "error":
            raise Refused(sim.switches.limit_code, f"limit out of range {sim.limits.page}")
        limit = sim.limits.page
    if offset > sim.limits.offset:
        raise Refused(10013, "offset out of range 10000", "offset 不能超过10000")
    if offset % limit:
        raise Refused(sim.switches.limit_code, "offset is no multiple of limit")
    filters = filters_of(sim, kind, asked.get("filters"))
    orders = []
    for order in asked.get("orders") or []:
        f = kind.fields.get(order.get("fieldName", ""))
        if f is None:
            raise Refused(sim.switches.field_code, f"field {order.get('fieldName')} not found")
        orders.append((f, str(order.get("isAsc", True)).lower() == "true"))
    orders = orders or [(kind.fields["last_modified_time"], False)]
    between, after = sim.switches.between, sim.switches.rights == "after"

    def fits(row: Row) -> bool:
        return (
            visible(sim, row)
            and (after or allowed(sim, acting, row))
            and all(c.holds(comparable(c.field, row.values.get(c.field.name)), between) for c in filters)
        )

    found = filter(fits, _sorted(sim, kind, orders, filters))
    page = list(itertools.islice(found, offset, offset + limit))
    exact = str(data.get("find_explicit_total_num", "")).lower() == "true" or sim.switches.total == "exact"
    total = 0
    if exact:
        total = sum(1 for row in kind.table.rows.values() if fits(row))
    names = data.get("field_projection") if simple else asked.get("fieldProjection")
    if simple and not names:
        names = [f.name for f in kind.fields.values() if f.type not in COMPUTED]
    shown = [render(sim, kind, row, acting, names or None) for row in page if allowed(sim, acting, row)]
    return {"offset": offset, "limit": limit, "total": total, "dataList": shown}
