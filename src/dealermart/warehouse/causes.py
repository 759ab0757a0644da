"""Why a closed period comes to another amount now: what was learnt since, cause by cause.

What was paid stays. Where the models find that a closed period comes to something else by now, the difference is told
apart here: the facts that were learnt after the closing are let in one cause after another, in the order of ``CAUSES``,
each time the statements are reckoned anew in a warehouse of their own (a scenario), and a cause is what it changes. So
the causes add up to the difference to the cent. With bands a share depends on the order, which is why there is one.

The first state is what was paid, the last one the marts as they stand: between n causes lie n - 1 scenarios.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb

from dealermart import lake
from dealermart.base import connect, literal, quoted
from dealermart.config import Contract
from dealermart.frozen import Frozen
from dealermart.warehouse import dbt
from dealermart.warehouse.case_run import CaseGraph
from dealermart.warehouse.closed import LATE, PAID, SOURCE, late_file
from dealermart.warehouse.inputs import Given, dirty_months, prepare
from dealermart.warehouse.state import code_hash
from dealermart.warehouse.tables import config_hash

_LINES, _SOURCES = "int_incentive__statement_line", "int_incentive__line_source"
# By the name of the main one, for which dbt parsed its models here.
_ROOM, _WAREHOUSE = "causes", "warehouse.duckdb"

# The order in which causes are applied, and the feeds that bring them. The calculation comes first, as nobody can
# reckon by a version of the models that is not there any more; the plan is the config of then.
CAUSES: dict[str, tuple[str, ...]] = {
    "calculation": (),
    "late_sale": ("sales",),
    "return": ("sales",),
    "correction": ("sales",),
    "payment": ("payments",),
    "credit": (
        "assignments", "dealers", "products", "territories", "deal_participants", "id_links", "team_members",
        "crm_accounts", "crm_opportunities", "crm_stage_changes", "crm_activities",
    ),
    "employment": ("absences", "team_members"),
    "target": ("targets", "target_approvals"),
    "kpi": (),  # whatever feed no other cause has
    "rate": ("fx_rates",),
    "plan": ("plan_assignments", "plan_acceptances"),
    "manual": ("adjustments",),
}  # fmt: skip
# What tells that a person's employment changed, and not only whom they work for.
_EMPLOYMENT = ("member_id", "hired_date", "left_date", "employment_pct")


def tell_apart(facts: Given, inputs: dict[str, str], say: Callable[[str], None]) -> bool:
    """Write the causes of what the marts settle for closed periods, where any is not known.

    Args:
        facts: What the marts were made from; ``inputs`` what the models were given.

    Returns:
        Whether they were written: then ``int_incentive__late`` and what reads it is to be run again.

    Raises:
        BuildError: dbt failed in a scenario. DataError: a closed folder is not what was closed.
    """
    settings = facts.settings
    with connect(settings, settings.warehouse, read_only=True) as con:
        if not _has(con, "int_incentive__late"):
            return False
        con.execute(f"""
            create temp table wanted as
            select {", ".join(PAID_OF_LATE)}, late_facts, period_type,
                bool_and(is_explained) as is_explained
            from intermediate.int_incentive__late
            inner join marts.dim_period on dim_period.period_id = earlier_period_id
            where scenario_id = 'paid' and amount is not null
            group by all
        """)
        if not con.execute("select count(*) from wanted where not is_explained").fetchall()[0][0]:
            return False
        wanted = con.execute("select * from wanted").to_arrow_table()
    room = settings.home / _ROOM
    room.mkdir(parents=True, exist_ok=True)
    with connect(settings, room / "told.duckdb") as con:
        con.register("given", wanted)
        con.execute("create or replace table wanted as select * from given")
        for name, columns in LATE.items():
            typed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
            con.execute(f"create or replace table {name} ({typed})")
        kinds = con.execute("select distinct period_type from wanted order by all").fetchall()
        for (period_type,) in kinds:
            _Telling(facts, inputs, con, room, str(period_type), say).run()
        for name in LATE:
            path = late_file(settings, name)
            unfinished = path.with_suffix(".unfinished")
            con.execute(f"copy {name} to {literal(str(unfinished))} (format parquet)")
            unfinished.replace(path)
    (room / "told.duckdb").unlink()
    return True


PAID_OF_LATE = [("earlier_period_id as period_id" if name == "period_id" else name) for name in PAID]


@dataclass
class _Telling:
    """The causes of one length of period, whose last closing is where what came later begins."""

    facts: Given
    inputs: dict[str, str]
    con: duckdb.DuckDBPyConnection
    room: Path
    period_type: str
    say: Callable[[str], None]

    def __post_init__(self) -> None:
        self.last: Frozen = [folder for folder in self.facts.closed if self._is_of_type(folder)][-1]
        self.moment = str(self.last.manifest["as_of"])
        self.old = self.facts.log.until(self.moment)

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql, [self.period_type]).fetchall()

    def _is_of_type(self, folder: Frozen) -> bool:
        length = {"month": 8, "quarter": 7, "year": 4}[self.period_type]
        return len(folder.period_id) == length

    def run(self) -> None:
        causes = self.present()
        self._state("paid", self._paid_views())
        states = ["paid"]
        adjusted = self._rows("select count(*) from wanted where period_type = ? and late_facts = 'adjust'")[0][0]
        for number, cause in enumerate(causes[:-1] if adjusted else (), start=1):
            self.say(f"closed periods: {cause} ({number} of {len(causes) - 1} scenarios)")
            scenario = self._scenario(set(causes[:number]))
            self._state(f"after_{number}", _views(scenario, closed=False))
            states.append(f"after_{number}")
        self._state("now", _views(self.facts.settings.warehouse, closed=False))
        states.append("now")
        order = list(CAUSES)
        for cause, (before, after) in zip(causes if adjusted else (), pairwise(states), strict=adjusted > 0):
            self._difference(cause, order.index(cause) + 1, before, after, "adjust")
        self._difference("corrective", 0, "paid", "now", "corrective")

    # ---------------------------------------------------------------------------------- what was learnt

    def present(self) -> list[str]:
        """The causes of which anything was learnt since the last closing, in their order; one at least."""
        settings, manifest = self.facts.settings, self.last.manifest
        found = set()
        if manifest["code_hash"] != code_hash(settings):
            found.add("calculation")
        if config_hash(replace(settings, config=self.last.config)) != config_hash(settings):
            found.add("plan")
        new = self.facts.seen.after(self.old.last)
        with connect(settings) as con:
            for name, contract in self.facts.known.items():
                if new.of_feed(name):
                    found.update(cause for cause, rows in self._late_rows(con, contract) if rows)
        return [cause for cause in CAUSES if cause in found] or ["calculation"]

    def _late_rows(self, con: duckdb.DuckDBPyConnection, contract: Contract) -> Iterator[tuple[str, int]]:
        """Each cause that a feed can bring, and how many rows it brought."""
        rows = self._all_rows(contract)
        if contract.feed == "sales":
            yield from con.execute(
                f"select {_sale_cause('is_known')}, count(*) from ({_marked(contract, rows, self.moment)})"
                f" where _ingested_at > {_moment(self.moment)} group by all"
            ).fetchall()
        else:
            sql = f"select count(*) from ({rows}) where _ingested_at > {_moment(self.moment)}"
            yield self._cause_of(con, contract), int(con.execute(sql).fetchall()[0][0])

    def _cause_of(self, con: duckdb.DuckDBPyConnection, contract: Contract) -> str:
        if contract.feed == "team_members":
            columns, rows, moment = ", ".join(_EMPLOYMENT), self._all_rows(contract), _moment(self.moment)
            changed = con.execute(
                f"select count(*) from (select {columns} from ({rows}) where _ingested_at > {moment}"
                f" except select {columns} from ({rows}) where _ingested_at <= {moment})"
            ).fetchall()[0][0]
            return "employment" if changed else "credit"
        return next((cause for cause, feeds in CAUSES.items() if contract.feed in feeds), "kpi")

    def _all_rows(self, contract: Contract) -> str:
        log, seen = self.facts.log, self.facts.seen
        return lake.rows_sql(
            contract, log.paths(self.facts.settings, contract.feed), seen.told(self.facts.settings, contract.feed)
        )

    def _rows_with(self, con: duckdb.DuckDBPyConnection, contract: Contract, applied: set[str]) -> str | None:
        """SELECT of a feed's rows, of what came later by these causes alone; None: that is all of it."""
        if contract.feed == "sales":
            marked = _marked(contract, self._all_rows(contract), self.moment)
            told = ", ".join(literal(cause) for cause in sorted(applied)) or "''"
            return (
                f"select * exclude (is_known) from ({marked})"
                f" where _ingested_at <= {_moment(self.moment)} or {_sale_cause('is_known')} in ({told})"
            )
        if self._cause_of(con, contract) in applied:
            return None
        settings = self.facts.settings
        rows = lake.rows_sql(
            contract, self.facts.log.paths(settings, contract.feed), self.old.told(settings, contract.feed)
        )
        return f"select * from ({rows}) where _ingested_at <= {_moment(self.moment)}"

    # ------------------------------------------------------------------------------------- scenarios

    def _scenario(self, applied: set[str]) -> Path:
        """Reckon the statements with what was known at the last closing and these causes; the warehouse with them."""
        settings, facts = self.facts.settings, self.facts
        warehouse = self.room / _WAREHOUSE
        graph = CaseGraph.parsed(settings, self.room, self.say)
        for path in (warehouse, warehouse.with_suffix(".duckdb.wal")):
            path.unlink(missing_ok=True)
        config = settings.config if "plan" in applied else self.last.config
        with connect(settings, warehouse) as con:
            prepare(con, replace(facts, closed=()), replace(settings, home=self.room, config=config))
            for name, contract in facts.known.items():
                if rows := self._rows_with(con, contract, applied):
                    con.execute(f"create or replace view lake.{quoted(name)} as {rows}")
            dirty_months(con, facts, None)
        dbt.dbt_models(settings, self.room, warehouse, self.inputs, graph.needed([_LINES, _SOURCES]))
        return warehouse

    def _paid_views(self) -> tuple[Path, Mapping[str, str]]:
        return _views(self.facts.settings.warehouse, closed=True)

    def _state(self, name: str, views: tuple[Path, Mapping[str, str]]) -> None:
        """Keep what each difference comes to in a state, and by which rows."""
        path, selects = views
        self.con.execute(f"attach {literal(str(path))} as state (read_only)")
        try:
            for part, select in selects.items():
                self.con.execute(f"""
                    create or replace table {name}_{part} as
                    select listed.* from ({select}) as listed semi join wanted using ({", ".join(PAID)})
                """)
        finally:
            self.con.execute("detach state")

    def _difference(self, cause: str, number: int, before: str, after: str, late_facts: str) -> None:
        """What lies between two states, by amount and by row."""
        key, row = ", ".join(PAID), ", ".join((*PAID, *SOURCE))
        of = f"(select * from wanted where period_type = '{self.period_type}' and late_facts = '{late_facts}')"
        self.con.execute(f"""
            insert into late_cause by name
            select {key}, {number} as cause_no, '{cause}' as cause,
                coalesce(was.amount, 0) as before_amount, coalesce(becomes.amount, 0) as after_amount,
                coalesce(becomes.amount, 0) - coalesce(was.amount, 0) as amount
            from {of} as asked
            left join {before}_lines as was using ({key})
            left join {after}_lines as becomes using ({key})
            where coalesce(becomes.amount, 0) <> coalesce(was.amount, 0)
        """)
        self.con.execute(f"""
            insert into late_source by name
            select {row}, '{cause}' as cause, sum(amount) as amount
            from (
                select {row}, -amount as amount from {before}_sources
                union all
                select {row}, amount from {after}_sources
            )
            semi join (select * from late_cause where cause = '{cause}') as changed using ({key})
            semi join {of} as asked using ({key})
            group by all
            having sum(amount) <> 0
        """)


def _views(warehouse: Path, *, closed: bool) -> tuple[Path, Mapping[str, str]]:
    """Amounts by difference, and the rows behind them: as they were paid, or as a warehouse reckons them."""
    lines, sources = ("closed.statement_line", "closed.line_source") if closed else (
        f"intermediate.{_LINES}", f"intermediate.{_SOURCES}",
    )  # fmt: skip
    kinds = "('draw', 'draw_recovery')" if closed else "('draw', 'draw_recovery', 'late')"
    # What was settled for a period later was paid for it.
    period = "coalesce(line.earlier_period_id, line.period_id)" if closed else "line.period_id"
    key = ", ".join(f"line.{name}" for name in PAID if name != "period_id")
    row = ", ".join(f"source.{name}" for name in SOURCE)
    of = f"where line.scenario_id = 'paid' and line.line_kind not in {kinds}"
    return warehouse, {
        "lines": f"""
            select {key}, {period} as period_id, sum(line.amount) as amount
            from state.{lines} as line
            {of}
            group by all
        """,
        "sources": f"""
            select {key}, {period} as period_id, {row}, sum(source.amount) as amount
            from state.{lines} as line
            inner join state.{sources} as source using (statement_line_id)
            {of} and source.amount is not null
            group by all
        """,
    }


def _marked(contract: Contract, rows: str, moment: str) -> str:
    """The rows of a feed with whether their key was known at a moment."""
    key = ", ".join(quoted(name) for name in contract.key)
    return (
        f"select listed.*, known_key.is_known from ({rows}) as listed left join"
        f" (select distinct {key}, true as is_known from ({rows}) where _ingested_at <= {_moment(moment)}) as known_key"
        f" using ({key})"
    )


def _sale_cause(is_known: str) -> str:
    return (
        f"case when {is_known} then 'correction' when transaction_type = 'invoice' and original_transaction_id is null"
        " then 'late_sale' else 'return' end"
    )


def _moment(text: str) -> str:
    return f"timestamp {literal(text)}"


def _has(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    found = con.execute("select count(*) from duckdb_tables() where table_name = ?", [table]).fetchall()
    return bool(found[0][0])
