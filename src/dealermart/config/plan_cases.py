"""Plan tests (``cases:``): a plan, what happened, and what is to be paid.

Everything that a case does not give has a default, so that a case is short. Rows are in the columns of the feeds'
contracts, whatever columns a company gives its feeds; they are checked against these, by file, line and field.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from dealermart.base import ConfigError
from dealermart.config.contracts import Column, Contract
from dealermart.config.kpis import Registry
from dealermart.config.plans import Plan, version_faults
from dealermart.config.yamlfile import Fault, Location, Strict, lined, load_yaml, repeated

Text = Annotated[str, Field(min_length=1)]

Row = dict[str, Any]

Rows = tuple[Row, ...]


def _as_text(given: Any) -> Any:
    """``2026`` is a number to YAML."""
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


Period = Annotated[
    str,
    BeforeValidator(_as_text, json_schema_input_type=str | int),
    Field(pattern=r"^\d{4}(-Q[1-4]|-M?(0[1-9]|1[0-2]))?$"),
]

# Keys of a case that hold the rows of a feed, and the feed where it is not of that name.
FEED_KEYS = {
    "payees": "plan_assignments",
    "targets": "targets",
    "sales": "sales",
    "payments": "payments",
    "assignments": "assignments",
    "absences": "absences",
    "adjustments": "adjustments",
    "dealers": "dealers",
    "team_members": "team_members",
    "products": "products",
    "fx_rates": "fx_rates",
}

# Rows that come from no feed: column -> whether it must be given.
OWN_ROWS: dict[str, dict[str, tuple[str, bool]]] = {
    "kpi_values": {
        "kpi_code": ("string", True),
        "subject_type": ("string", False),
        "subject_id": ("string", True),
        "period": ("string", False),
        "value": ("decimal(28,8)", True),
    },
    "balances_before": {
        "payee": ("string", True),
        "balance": ("string", True),
        "component": ("string", False),
        "currency": ("string", False),
        "amount": ("decimal(18,2)", True),
    },
    "paid": {
        "payee": ("string", True),
        "period": ("string", True),
        "component": ("string", True),
        "currency": ("string", False),
        "amount": ("decimal(18,2)", True),
        "transaction_id": ("string", False),
    },
}

# Columns that a feed must have and a case need not give: they have defaults, or numbers of their own.
_NEEDED = {
    "plan_assignments": ("payee_id",),
    "targets": ("subject_id", "target_value"),
    "sales": ("net_amount", "sale_date"),
    "payments": ("transaction_id", "amount", "payment_date"),
    "assignments": ("dealer_id", "member_id"),
    "absences": ("member_id", "valid_from"),
    "adjustments": ("payee_id", "amount"),
    "dealers": ("dealer_id",),
    "team_members": ("member_id",),
    "products": ("product_id",),
    "fx_rates": ("from_currency_code", "rate"),
}

_BALANCES = ("draw", "hold", "uncollected", "instalment", "carry", "excess")

_PYTHON = {
    "string": (str, int),
    "integer": (int,),
    "boolean": (bool,),
    "date": (date,),
    "timestamp": (datetime, date),
}


class Expect(Strict):
    """What a case expects. What is not named is not looked at; of a row only the columns that are named.

    Attributes:
        payout: Payee -> the sum of the statement of the case's period.
        lines: Lines of the statement: payee, component, band, base, earned, kind, or any column of it.
        reasons: Texts that stand in the reason of a line of the statement, or rows with ``reason``.
        held: Lines that wait for a person.
        balances: payee, balance (draw, hold, uncollected, instalment, carry, excess), opening, movement, closing.
        marts: Name of a mart, or ``target``, ``balance`` or ``proposal`` -> rows of it.
        refused: The plan is refused, and this text stands in the error.
    """

    payout: dict[str, Decimal] = {}
    lines: Rows = ()
    reasons: tuple[Text | Row, ...] = ()
    held: Rows = ()
    balances: Rows = ()
    marts: dict[str, Rows] = {}
    refused: Text | None = None


class Case(Strict):
    """One case.

    Attributes:
        case: Its name; each has its own.
        source: Where it is from.
        company: A company file of the config folder, or fields of the company file that differ.
        plan: The plan, as a plan file holds it; several are plans, or versions, beside each other.
        plan_file: Or the file, or files, that hold it; paths from the case file's folder.
        period: The period whose statements are looked at: 2026-01, 2026-Q1 or 2026, fiscal ones.
        payees: Rows of the feed ``plan_assignments``; by default paid by the first plan, over everything.
        inputs: Rows of any feed by its name, and what else a case may hold.
        kpi_values: kpi_code, subject_id, value; of the case's period and a payee unless it says otherwise.
        paid: What was paid for earlier, closed periods: payee, period, component, amount.
        balances_before: What is carried into the case's period: payee, balance, amount.
    """

    case: Text
    source: Text | None = None
    note: Text | None = None
    company: Text | dict[str, Any] | None = None
    plan: Row | tuple[Row, ...] | None = None
    plan_file: Text | tuple[Text, ...] | None = None
    period: Period
    payees: Annotated[Rows, Field(min_length=1)]
    targets: Rows = ()
    sales: Rows = ()
    payments: Rows = ()
    assignments: Rows = ()
    absences: Rows = ()
    adjustments: Rows = ()
    dealers: Rows = ()
    team_members: Rows = ()
    products: Rows = ()
    fx_rates: Rows = ()
    kpi_values: Rows = ()
    inputs: dict[str, Rows] = {}
    paid: Rows = ()
    balances_before: Rows = ()
    expect: Expect

    def rows(self, name: str) -> Rows:
        """Rows that stand under a key, and those that ``inputs`` has beside them."""
        keys = [key for key, feed in FEED_KEYS.items() if feed == name] or [name]
        given: Rows = getattr(self, keys[0]) if keys[0] in type(self).model_fields else ()
        return (*given, *(row for key in dict.fromkeys((*keys, name)) for row in self.inputs.get(key, ())))

    def feeds(self, contracts: Mapping[str, Contract]) -> dict[str, Rows]:
        """Rows of every feed that the case has rows of."""
        return {name: rows for name in contracts if (rows := self.rows(name))}

    def faults(self, at: Location, contracts: Mapping[str, Contract], registry: Registry) -> Iterator[Fault]:
        """What does not fit feeds and KPIs; plans have faults of their own."""
        if (self.plan is None) == (self.plan_file is None):
            yield Fault(at, "a case has a plan", "give plan: {...}, or plan_file: with its path, and not both")
        given: list[tuple[Location, str, Rows]] = [((*at, key), key, getattr(self, key)) for key in FEED_KEYS]
        given += [((*at, key), key, getattr(self, key)) for key in OWN_ROWS]
        given += [((*at, "inputs", key), key, rows) for key, rows in self.inputs.items()]
        for here, key, rows in given:
            feed = FEED_KEYS.get(key, key)
            if feed in contracts:
                yield from _feed_faults(here, contracts[feed], rows)
            elif key in OWN_ROWS:
                yield from _own_faults(here, OWN_ROWS[key], rows)
            else:
                known = ", ".join(sorted([*OWN_ROWS, *contracts]))
                yield Fault(here, f"there is no feed {key}", f"one of: {known}")
        codes = registry.by_code
        for index, row in enumerate(self.rows("kpi_values")):
            if row.get("kpi_code") not in codes:
                where = (*at, *(("kpi_values",) if self.kpi_values else ("inputs", "kpi_values")), index, "kpi_code")
                yield Fault(where, f"there is no KPI {row.get('kpi_code')}", "name one of config/kpis.yml")
        yield from self._expect_faults((*at, "expect"))

    def _expect_faults(self, at: Location) -> Iterator[Fault]:
        expect = self.expect
        if not any((expect.payout, expect.lines, expect.reasons, expect.held, expect.balances, expect.marts)):
            if expect.refused is None:
                yield Fault(
                    at, "the case expects nothing", "add payout, lines, reasons, held, balances, marts or refused"
                )
        elif expect.refused is not None:
            yield Fault((*at, "refused"), "a refused plan pays nothing that could be expected", "leave the others out")
        for index, row in enumerate(expect.balances):
            if row.get("balance") not in _BALANCES:
                yield Fault((*at, "balances", index), "nothing says which balance", f"balance: {', '.join(_BALANCES)}")


class CaseFile(Strict):
    """A file of plan tests."""

    cases: Annotated[tuple[Case, ...], Field(min_length=1)]


@dataclass(frozen=True)
class TestCase:
    """A case that can be run: from which file, its plans with the files that hold them, or why these are refused."""

    __test__ = False

    file: Path
    case: Case
    plans: tuple[tuple[str, Plan], ...]
    refusals: tuple[str, ...] = ()


def load_cases(path: Path, contracts: Mapping[str, Contract], registry: Registry) -> list[TestCase]:
    """Read and check a file of plan tests.

    A plan that is refused is no fault of the file where its case expects that.

    Raises:
        ConfigError: the file is missing or broken, or a plan of it is refused; names file, line, field and mend.
    """
    found = load_yaml(path, CaseFile).cases
    faults = list(repeated((case.case for case in found), ("cases",), "case", "name"))
    loaded = []
    for index, case in enumerate(found):
        at: Location = ("cases", index)
        faults += case.faults(at, contracts, registry)
        plans, refused = _plans(path, case, at, registry)
        if case.expect.refused is None:
            faults += refused
            faults += _period_faults(case, at, plans)
        loaded.append(TestCase(path, case, tuple(plans), tuple(_said(fault, at) for fault in refused)))
    if faults:
        errors = lined(path, faults)
        more = f" (and {len(errors) - 1} more in this file)" if len(errors) > 1 else ""
        raise ConfigError(errors[0].what + more, where=errors[0].where, mend=errors[0].mend)
    return loaded


def _period_faults(case: Case, at: Location, plans: Sequence[tuple[str, Plan]]) -> Iterator[Fault]:
    """A period of which no plan has a statement."""
    kind = {"": "year", "Q": "quarter"}.get(case.period[5:6], "month")
    if plans and not any(plan.period == kind for _, plan in plans):
        paid = plans[0][1].period
        example = {"month": "2026-01", "quarter": "2026-Q1", "year": "2026"}[paid]
        yield Fault((*at, "period"), f"the plan pays by the {paid}, and {case.period} is none", f"write {example}")


def _plans(path: Path, case: Case, at: Location, registry: Registry) -> tuple[list[tuple[str, Plan]], list[Fault]]:
    """The plans of a case, and what is wrong with them."""
    plans: list[tuple[str, Plan]] = []
    faults: list[Fault] = []
    if case.plan is not None:
        is_single = isinstance(case.plan, dict)
        for number, given in enumerate(_several(case.plan)):
            here: Location = (*at, "plan") if is_single else (*at, "plan", number)
            try:
                plan = Plan.model_validate(given)
            except ValidationError as error:
                faults += [
                    Fault((*here, *told["loc"]), told["msg"].removeprefix("Value error, "), "correct the plan")
                    for told in error.errors(include_url=False)
                ]
                continue
            told = [*version_faults(plan, plans), *plan.faults(registry.by_code)]
            faults += [fault._replace(location=(*here, *fault.location)) for fault in told]
            plans.append((path.name, plan))
    for name in _several(case.plan_file or ()):
        file = path.parent / name
        try:
            plan = load_yaml(file, Plan)
        except ConfigError as error:
            faults.append(Fault((*at, "plan_file"), f"{error.where}: {error.what}", error.mend))
            continue
        told = [*version_faults(plan, plans), *plan.faults(registry.by_code)]
        faults += [Fault((*at, "plan_file"), f"{error.where}: {error.what}", error.mend) for error in lined(file, told)]
        plans.append((name, plan))
    return plans, faults


def _said(fault: Fault, at: Location) -> str:
    """A fault as the plan's own file would have it."""
    place = ".".join(str(step) for step in fault.location[len(at) :] if step not in ("plan", "plan_file"))
    return f"field {place or '(whole file)'}: {fault.what}"


def _several(given: Any) -> Sequence[Any]:
    return given if isinstance(given, (tuple, list)) else (given,)


def _feed_faults(at: Location, contract: Contract, rows: Rows) -> Iterator[Fault]:
    """Columns that the feed does not have, values of another type, and what no default can stand for."""
    columns = {column.name: column for column in contract.columns}
    needed = _NEEDED.get(contract.feed)
    if needed is None:
        needed = tuple(column.name for column in contract.columns if column.required)
    for index, row in enumerate(rows):
        for name, value in row.items():
            if name not in columns:
                yield Fault(
                    (*at, index, name),
                    f"the feed {contract.feed} has no column {name}",
                    f"correct the name; its columns: {', '.join(columns)}",
                )
            elif value is not None and (wrong := _wrong(columns[name].type, value)):
                yield Fault((*at, index, name), wrong, _MENDS[columns[name].type.split("(")[0]])
        for name in needed:
            if row.get(name) is None:
                yield Fault((*at, index), f"{name} is missing", f"add {name}")


def _own_faults(at: Location, columns: Mapping[str, tuple[str, bool]], rows: Rows) -> Iterator[Fault]:
    for index, row in enumerate(rows):
        for name, value in row.items():
            if name not in columns:
                yield Fault((*at, index, name), f"there is no {name} here", f"one of: {', '.join(columns)}")
            elif value is not None and (wrong := _wrong(columns[name][0], value)):
                yield Fault((*at, index, name), wrong, _MENDS[columns[name][0].split("(")[0]])
        for name, (_, is_needed) in columns.items():
            if is_needed and row.get(name) is None:
                yield Fault((*at, index), f"{name} is missing", f"add {name}")


_MENDS = {
    "string": "write a text",
    "integer": "write a whole number",
    "boolean": "write true or false",
    "date": "write a day like 2026-01-31",
    "timestamp": "write a moment like 2026-01-31 09:00:00",
    "decimal": "write a number",
}


def _wrong(kind: str, value: Any) -> str | None:
    """Why a value is none of the type; None: it is one."""
    if kind.startswith("decimal"):
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            return f"{value!r} is no number"
        places = int(kind.rstrip(")").split(",")[1])
        if Decimal(value) != round(Decimal(value), places):
            return f"{value} has more than {places} decimals"
        return None
    if isinstance(value, bool) != (kind == "boolean"):
        return f"{value!r} is no {kind}"
    if not isinstance(value, _PYTHON[kind]) or (kind == "date" and isinstance(value, datetime)):
        return f"{value!r} is no {kind}"
    return None


def cases_schema(contracts: Mapping[str, Contract]) -> dict[str, Any]:
    """JSON Schema (2020-12) of a file of plan tests, with the columns of the feeds as the contracts have them."""
    schema = CaseFile.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    plan = Plan.model_json_schema(by_alias=True)
    for name, definition in plan.pop("$defs", {}).items():
        definitions[f"Plan{name}"] = definition
    definitions["Plan"] = plan
    _rename(definitions, {name for name in definitions if name.startswith("Plan") and name != "Plan"})
    plan_of = {"$ref": "#/$defs/Plan"}
    properties = definitions["Case"]["properties"]
    properties["plan"] = {"anyOf": [plan_of, {"type": "array", "items": plan_of}]}
    feeds = {name: _feed_schema(contract) for name, contract in contracts.items()}
    own = {name: _own_schema(columns) for name, columns in OWN_ROWS.items()}
    for key, feed in FEED_KEYS.items():
        if feed in feeds:
            properties[key] = feeds[feed]
    properties |= own
    properties["inputs"] = {
        "type": "object",
        "properties": feeds | own | {key: feeds[feed] for key, feed in FEED_KEYS.items() if feed in feeds},
        "additionalProperties": False,
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _rename(definitions: dict[str, Any], renamed: set[str]) -> None:
    """Point what stood in the plan's schema to where it stands now."""

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            reference = node.get("$ref")
            if isinstance(reference, str) and f"Plan{reference.removeprefix('#/$defs/')}" in renamed:
                node["$ref"] = f"#/$defs/Plan{reference.removeprefix('#/$defs/')}"
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    for name in (*renamed, "Plan"):
        walk(definitions[name])


def _feed_schema(contract: Contract) -> dict[str, Any]:
    return _rows_schema(
        {column.name: _column_schema(column) for column in contract.columns}, _NEEDED.get(contract.feed)
    )


def _own_schema(columns: Mapping[str, tuple[str, bool]]) -> dict[str, Any]:
    typed = {name: _type_schema(kind) for name, (kind, _) in columns.items()}
    return _rows_schema(typed, [name for name, (_, is_needed) in columns.items() if is_needed])


def _rows_schema(columns: dict[str, Any], needed: Sequence[str] | None) -> dict[str, Any]:
    row: dict[str, Any] = {"type": "object", "properties": columns, "additionalProperties": False}
    if needed:
        row["required"] = list(needed)
    return {"type": "array", "items": row}


def _column_schema(column: Column) -> dict[str, Any]:
    return _type_schema(column.type) | {"description": column.description}


def _type_schema(kind: str) -> dict[str, Any]:
    simple: dict[str, dict[str, Any]] = {
        "string": {"type": ["string", "integer", "null"]},
        "integer": {"type": ["integer", "null"]},
        "boolean": {"type": ["boolean", "null"]},
        "date": {"type": ["string", "null"], "format": "date"},
        "timestamp": {"type": ["string", "null"]},
    }
    return dict(simple.get(kind, {"type": ["number", "null"]}))
