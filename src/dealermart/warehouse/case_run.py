"""Plan tests in a throw-away warehouse: all cases of a call in one dbt run, of the models that they need.

The warehouse and dbt's target folder lie under ``plan_test`` of the home, so that dbt parses its project once per
installation and version of the models. KPIs are not measured: cases state their values.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from dealermart.base import LockError, Settings, UsageError, alone, connect, quoted, write_text
from dealermart.config import Company, Contract, Kpi, TestCase, company_of, load_contracts, load_registry, load_rules
from dealermart.lake import LEDGER
from dealermart.warehouse import dbt
from dealermart.warehouse.case_rows import MARK, Row, World, calendar_start, span_of, unmarked
from dealermart.warehouse.closed import name_closed
from dealermart.warehouse.inputs import STEP_LINES, name_steps
from dealermart.warehouse.tables import SCHEMAS, config_tables

STATEMENTS = ("mart_incentive__statement", "mart_incentive__statement_line")

_WAREHOUSE = "warehouse.duckdb"

# Tables that are written here, and what they are made of is not run.
_KPI_VALUES, _COVERAGE = "int_kpi__subject_period", "int_kpi__feed_month"

# What there is besides the statement, in the short words of cases: the model, and its rows.
VIEWS = {
    "target": (
        "int_incentive__target",
        """payee_type, payee_id as payee, plan_id, component_id as component, period_id, target_value as target,
        full_value, period_value, status, reason""",
    ),
    "proposal": (
        "mart_incentive__proposal",
        "payee_id as payee, plan_id, period_id, award, proposal_name as name, benefit_amount as value",
    ),
    "balance": (
        "mart_incentive__balance",
        """payee_id as payee, plan_id, period_id, balance_kind as balance, sum(opening_amount) as opening,
        sum(movement_amount) as movement, sum(closing_amount) as closing""",
    ),
}


@dataclass
class Found:
    """What the models say of a case, ids as the case has them.

    Attributes:
        statements: Rows of the statements of the case's period.
        lines: Of their lines; those of all periods where the case asks for another one.
        marts: Rows of what else the case names.
    """

    world: World
    statements: list[Row] = field(default_factory=list)
    lines: list[Row] = field(default_factory=list)
    marts: dict[str, list[Row]] = field(default_factory=dict)


def run_cases(settings: Settings, tests: Sequence[TestCase], say: Callable[[str], None]) -> list[Found | None]:
    """Pay what the cases give, each in a world of its own.

    Args:
        tests: Cases; those whose plans are refused are not run.
        say: Told what goes on.

    Returns:
        What was found of each case, in their order; None where the plan is refused.

    Raises:
        BuildError: dbt failed. ConfigError, UsageError: a case asks for what there is not.
        LockError: somebody else runs plan tests in the same home.
    """
    contracts, kpis = load_contracts(settings), load_registry(settings).by_code
    found: list[Found | None] = [None] * len(tests)
    room = settings.home / "plan_test"
    busy = LockError(
        "another process runs plan tests", where=str(room), mend="run them again when it has ended, or in another home"
    )
    with alone(room / "lock", busy, settings.lock_wait):
        graph = CaseGraph.parsed(settings, room, say)
        numbered = list(_groups(tests, graph).values())
        groups = [
            _Group(settings, room, contracts, kpis, [tests[number] for number in numbers], graph)
            for numbers in numbered
        ]  # before any is run: a company that there is not is told at once
        for numbers, group in zip(numbered, groups, strict=True):
            for number, told in zip(numbers, group.run(say), strict=True):
                found[number] = told
    return found


def _groups(tests: Sequence[TestCase], graph: CaseGraph) -> dict[str, list[int]]:
    """Numbers of the cases that can share a warehouse: one company, and KPI values stated or measured."""
    groups: dict[str, list[int]] = {}
    for number, test in enumerate(tests):
        if test.refusals:
            continue
        measured = graph.is_measured(_wanted([test], graph))
        if measured and test.case.rows("kpi_values"):
            raise UsageError(
                f"case {test.case.case!r} expects marts of measured KPIs and states values of KPIs",
                where=str(test.file),
                mend="leave kpi_values out and give the rows that are measured, or expect other marts",
            )
        key = json.dumps([test.case.company, measured], sort_keys=True, default=str)
        groups.setdefault(key, []).append(number)
    return groups


def _wanted(tests: Iterable[TestCase], graph: CaseGraph) -> list[str]:
    """Models whose rows are looked at.

    Raises:
        UsageError: a case names a mart that there is not.
    """
    names = dict.fromkeys(STATEMENTS)
    for test in tests:
        for name in _named(test):
            model = VIEWS[name][0] if name in VIEWS else name
            if model not in graph.models:
                raise UsageError(
                    f"case {test.case.case!r}: there is no mart {name}",
                    where=str(test.file),
                    mend=f"name a model of the dbt project, or one of: {', '.join(VIEWS)}",
                )
            names[model] = None
    return list(names)


def _named(test: TestCase) -> list[str]:
    """What a case looks at besides its statements."""
    expect = test.case.expect
    return [*expect.marts, *(["balance"] if expect.balances and "balance" not in expect.marts else [])]


class CaseGraph:
    """dbt's models: their schema, what they read and the types of their columns."""

    def __init__(self, models: Mapping[str, Mapping[str, Any]]) -> None:
        self.models = models

    @classmethod
    def parsed(cls, settings: Settings, room: Path, say: Callable[[str], None]) -> CaseGraph:
        """The models as they stand; dbt parses them where they changed since it did so here."""
        file, stand = room / "models.json", dbt.parsed_from(settings, room, room / _WAREHOUSE)
        if file.exists() and (room / "target" / "partial_parse.msgpack").exists():
            known = json.loads(file.read_text("utf-8"))
            if known["stand"] == stand:
                return cls(known["models"])
        say("dbt parses the models, which it does once for each version of them")
        models = {
            node["name"]: {
                "schema": node["schema"],
                "reads": [name.split(".")[-1] for name in node["depends_on"]["nodes"] if name.startswith("model.")],
                "columns": {name: column["data_type"] for name, column in node["columns"].items()},
            }
            for node in dbt.dbt_parse(settings, room, room / _WAREHOUSE)["nodes"].values()
            if node["resource_type"] == "model"
        }
        write_text(file, json.dumps({"stand": stand, "models": models}))
        return cls(models)

    def place(self, name: str) -> str:
        """A model as SQL names it."""
        return f"{quoted(self.models[name]['schema'])}.{quoted(name)}"

    def needed(self, names: Iterable[str], cut: tuple[str, ...] = ()) -> list[str]:
        """The models ``names`` and all that they read, without ``cut`` and what only that reads."""
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop()
            if name not in seen and name not in cut:
                seen.add(name)
                todo += self.models[name]["reads"]
        return sorted(seen)

    def is_measured(self, names: Iterable[str]) -> bool:
        """Whether any of the models, other than the incentive ones, shows KPIs."""
        others = [name for name in names if not name.startswith(("mart_incentive__", "int_incentive__"))]
        return _KPI_VALUES in self.needed(others)


@dataclass
class _Group:
    """Cases of one warehouse."""

    settings: Settings
    room: Path
    contracts: Mapping[str, Contract]
    kpis: Mapping[str, Kpi]
    tests: list[TestCase]
    graph: CaseGraph

    def __post_init__(self) -> None:
        self.company, self.period_end = self._calendar()

    def run(self, say: Callable[[str], None]) -> list[Found]:
        graph = self.graph
        names = _wanted(self.tests, graph)
        measured = graph.is_measured(names)
        company, period_end = self.company, self.period_end
        worlds = [
            World(test, f"t{number}~", company, self.contracts, self.kpis) for number, test in enumerate(self.tests)
        ]
        warehouse = self.room / _WAREHOUSE
        for path in (warehouse, warehouse.with_suffix(".duckdb.wal")):
            path.unlink(missing_ok=True)
        with connect(self.settings, warehouse) as con:
            self._fill(con, worlds, measured)
        cut = (_COVERAGE,) if measured else (_KPI_VALUES, _COVERAGE)
        models = graph.needed(names, cut)
        say(f"{len(worlds)} cases: dbt runs {len(models)} models")
        moment = period_end + dt.timedelta(days=7)
        inputs = {
            "as_of": f"{moment} 00:00:00",
            "as_of_date": f"{moment}",
            "received_until": f"{moment}",
            "period_end": f"{period_end}",
        }
        dbt.dbt_models(self.settings, self.room, warehouse, inputs, models)
        with connect(self.settings, warehouse, read_only=True) as con:
            return _read(con, worlds, graph)

    def _calendar(self) -> tuple[Company, dt.date]:
        """The company with a calendar for all cases, and the first day after their last period."""
        company = company_of(self.settings, self.tests[0].case.company)
        first = company.fiscal_year_start_month
        spans = [span_of(first, test.case.period) for test in self.tests]
        days = [span.start for span in spans]
        for test in self.tests:
            for name in self.contracts:
                days += [day for row in test.case.rows(name) for day in row.values() if type(day) is dt.date]
            days += [span_of(first, row["period"]).start for row in test.case.rows("paid")]
        # A start long ago says that something holds from the beginning.
        recent = [day for day in days if day.year >= min(span.start.year for span in spans) - 5]
        begins = calendar_start(first, min(recent))
        changed = {"calendar_start": begins, "receivables_from": begins, "plans": None, "reviews": None}
        return company.model_copy(update=changed), max(span.end for span in spans)

    def _fill(
        self,
        con: duckdb.DuckDBPyConnection,
        worlds: list[World],
        measured: bool,
    ) -> None:
        """Schemas lake, config and meta as a build leaves them, and the tables that are not run."""
        company, period_end = self.company, self.period_end
        con.execute("begin")
        for schema in ("lake", "config", "meta", "intermediate"):
            con.execute(f"create schema {schema}")
        feeds: dict[str, list[Row]] = {name: [] for name in self.contracts}
        for world in worlds:
            for name, rows in world.feeds().items():
                feeds[name] += rows
        for name, contract in self.contracts.items():
            dated = contract.event_date
            landed = [
                _landed(name, number, row, row.get(dated) if dated else None, company.calendar_start)
                for number, row in enumerate(feeds[name], start=2)
            ]
            _load(con, f"lake.{quoted(name)}", contract.lake_columns, landed)
        _load(con, "lake.ledger", LEDGER, [_delivered(name, len(rows)) for name, rows in feeds.items() if rows])
        rules = load_rules(self.settings, company)
        config: dict[str, list[Row]] = {
            name: [dict(zip(SCHEMAS[name], row, strict=True)) for row in rows]
            for name, rows in config_tables(rules, period_end, self.settings.company_file).items()
        }
        for world in worlds:
            for name, rows in world.plans().items():
                config[name] += rows
            config["paid_line"] += world.before("paid")
            config["balance_before"] += world.before("balances_before")
        for name, rows in config.items():
            _load(con, f"config.{quoted(name)}", SCHEMAS[name], rows)
        name_closed(con, self.settings)
        name_steps(con, STEP_LINES)
        for name in ("dirty_month", "dirty_pay_month"):
            con.execute(f"create table meta.{name} as select month_start from config.fiscal_month")
        # A case states all that was sold: each of its months is delivered.
        covered = [
            {"feed": "sales", "fiscal_month_start": row["month_start"], "is_covered": True}
            for row in config["fiscal_month"]
            if row["month_start"] < period_end
        ]
        _load(con, f"intermediate.{_COVERAGE}", self.graph.models[_COVERAGE]["columns"], covered)
        if not measured:
            columns = self.graph.models[_KPI_VALUES]["columns"]
            values = [self._measured(row) for world in worlds for row in world.marked_kpi_values()]
            _load(con, f"intermediate.{_KPI_VALUES}", columns, values)
        con.execute("commit")

    def _measured(self, row: Row) -> Row:
        """A stated value as if it had been measured."""
        kpi = self.kpis[MARK.sub("", row["kpi_code"])]
        return {
            **row,
            "subject_name": row["subject_id"],
            "period_type": {4: "year", 7: "quarter", 8: "month"}[len(row["period_id"])],
            "is_complete": True,
            "kpi_name": kpi.name,
            "unit": kpi.unit,
            "sample_size": max(kpi.min_sample, 1),
            "status": "ok",
            "definition_version": kpi.version,
            "audience": kpi.audience,
        }


def _landed(feed: str, number: int, row: Row, event: Any, begins: dt.date) -> Row:
    """A row as the lake holds it: received on the day of its event, else before all cases."""
    received = event.date() if isinstance(event, dt.datetime) else event or begins
    return {
        "_source": "case",
        "_delivery_id": feed,
        "_source_file": f"{feed}.csv",
        "_row_number": number,
        "_row_part": 1,
        "_received_date": received,
        "_ingested_at": dt.datetime.combine(received, dt.time(2)),
        "_run_id": "case",
        "_is_repeat": False,
        **row,
    }


def _delivered(feed: str, count: int) -> Row:
    nothing = dict.fromkeys((name for name, kind in LEDGER.items() if kind == "bigint"), 0)
    return nothing | {
        "delivery_id": feed,
        "source": "case",
        "source_file": f"{feed}.csv",
        "feed": feed,
        "status": "accepted",
        "records": count,
        "mapped": count,
        "accepted": count,
    }


_ARROW: dict[str, pa.DataType] = {
    "varchar": pa.string(),
    "bigint": pa.int64(),
    "ubigint": pa.uint64(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


def _load(con: duckdb.DuckDBPyConnection, table: str, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
    """Make a table of rows, in one go."""
    typed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns.items())
    con.execute(f"create table {table} ({typed})")
    if not rows:
        return
    arrays = []
    for name, kind in columns.items():
        values: list[Any] = [row.get(name) for row in rows]
        if kind.startswith("decimal"):
            precision, scale = (int(part) for part in kind[len("decimal(") : -1].split(","))
            step = Decimal(1).scaleb(-scale)
            values = [None if value is None else Decimal(value).quantize(step) for value in values]
            arrays.append(pa.array(values, pa.decimal128(precision, scale)))
        else:
            if kind == "varchar":
                values = [None if value is None else str(value) for value in values]
            arrays.append(pa.array(values, _ARROW[kind]))
    con.register("loaded", pa.table(arrays, names=list(columns)))
    con.execute(f"insert into {table} select * from loaded")
    con.unregister("loaded")


# --------------------------------------------------------------------------------------- what was found


def _read(con: duckdb.DuckDBPyConnection, worlds: list[World], graph: CaseGraph) -> list[Found]:
    """Rows of the statements and of all that cases name, each to its case."""
    found = {world.mark: Found(world) for world in worlds}
    periods = {world.mark: world.span.period_id for world in worlds}
    everywhen = {world.mark for world in worlds if any("period" in row for row in world.test.case.expect.lines)}
    asked = pa.table(
        {"mark": list(periods), "period_id": [None if mark in everywhen else periods[mark] for mark in periods]}
    )
    con.register("asked", asked)
    for name, kept in (("mart_incentive__statement", "statements"), ("mart_incentive__statement_line", "lines")):
        sql = f"""
            select listed.* from {graph.place(name)} as listed
            inner join asked
                on split_part(listed.payee_id, '~', 1) || '~' = asked.mark
                and listed.period_id = coalesce(asked.period_id, listed.period_id)
            order by all
        """
        for mark, row in _rows(con, sql):
            getattr(found[mark], kept).append(row)
    askers: dict[str, list[World]] = {}
    for world in worlds:
        for name in _named(world.test):
            askers.setdefault(name, []).append(world)
    for name, asking in askers.items():
        model, columns = VIEWS.get(name, (name, "*"))
        rows = list(
            _rows(con, f"select {columns} from {graph.place(model)} {'group by all' if 'sum(' in columns else ''}")
        )
        for world in asking:
            found[world.mark].marts[name] = [row for mark, row in rows if mark in ("", world.mark)]
    return [found[world.mark] for world in worlds]


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[tuple[str, Row]]:
    """Rows with the mark of the case to which they belong; without one they are everybody's."""
    result = con.execute(sql)
    columns = [column[0] for column in result.description]
    for values in result.fetchall():
        mark = ""
        for value in values:
            if isinstance(value, str) and (told := MARK.search(value)):
                mark = told[0]
                break
        yield mark, {name: unmarked(value) for name, value in zip(columns, values, strict=True)}
