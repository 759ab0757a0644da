"""What dbt reads: the lake, the config and the months to build, as schemas of the warehouse."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from dealermart import lake
from dealermart.base import ConfigError, Settings, UsageError, literal, quoted
from dealermart.config import Company, Contract
from dealermart.frozen import Frozen
from dealermart.lake import LEDGER, Log
from dealermart.warehouse.closed import name_closed
from dealermart.warehouse.file import name_lake_files
from dealermart.warehouse.tables import compile_config

# Feeds that models kept by fiscal month read. All other models are made anew in every build, from monthly sums.
BY_MONTH = ("sales", "dealers", "team_members", "products", "assignments", "fx_rates")
# Feeds that besides these decide what a sale line earns.
BY_PAY_MONTH = ("targets", "plan_assignments", "payments", "absences", "adjustments")

# A full build goes through sale lines in steps of whole fiscal months, quarters or years of about this many: what a
# step makes of them fits into 8 GiB.
STEP_LINES = 3_000_000


@dataclass(frozen=True)
class Given:
    """What a build is made from.

    Attributes:
        known: Contract of every feed.
        log: All that is known; ``seen`` what was known at the moment.
        end: First day after the last fiscal month.
        closed: Pay periods that were closed until the moment, in the order of closing.
    """

    settings: Settings
    known: dict[str, Contract]
    log: Log
    seen: Log
    end: dt.date
    closed: tuple[Frozen, ...]


def prepare(con: duckdb.DuckDBPyConnection, given: Given, config: Settings | None = None) -> None:
    """Schemas lake, config, closed and meta: what dbt reads, by explicit lists of files.

    Args:
        config: Where the config is read and compiled, if not where the build's is.
    """
    settings, log = given.settings, given.log
    tables = compile_config(config or settings, given.end, con)
    con.execute("begin")
    for schema in ("lake", "config", "meta"):
        con.execute(f"create schema if not exists {schema}")
    name_lake_files(con, settings, given.known, log, given.seen)
    name_closed(con, settings, given.closed)
    for name, path in tables.items():
        con.execute(f"create or replace view config.{quoted(name)} as select * from read_parquet({literal(str(path))})")
    con.execute(f"create or replace table lake.ledger ({', '.join(f'{name} {kind}' for name, kind in LEDGER.items())})")
    rows = [
        [
            delivery["delivery_id"],
            delivery["source"],
            delivery["file"],
            delivery["feed"],
            delivery["received"],
            delivery["ingested_at"],
            *(delivery[name] for name in list(LEDGER)[6:]),
        ]
        for delivery in log.deliveries()
    ]
    if rows:
        con.executemany(f"insert into lake.ledger values ({', '.join('?' * len(LEDGER))})", rows)
    con.execute("commit")


def dirty_months(con: duckdb.DuckDBPyConnection, given: Given, base: dict[str, Any] | None) -> int:
    """Fill ``meta.dirty_month`` and ``meta.dirty_pay_month``: every month whose rows can differ from those of the build
    ``base``, the latter of what sale lines earn. The models go on from there to whole periods of plans.

    Returns:
        The number of the former.
    """
    settings, known, log, end = given.settings, given.known, given.log, given.end
    name_steps(con, STEP_LINES)
    con.execute("create or replace table meta.dirty_month (month_start date)")
    con.execute("create or replace table meta.dirty_pay_month (month_start date)")
    if base is None:
        con.execute("insert into meta.dirty_month select month_start from config.fiscal_month")
        con.execute("insert into meta.dirty_pay_month select month_start from config.fiscal_month")
    else:
        old, new = log.before(base["seq"]), log.after(base["seq"])
        begun = f"select date {literal(base['period_end'])} as first_day, date {literal(end.isoformat())} as last_day"
        spans = {"": begun}
        for name in (*BY_MONTH, *BY_PAY_MONTH):
            if name not in known or not new.of_feed(name):
                continue
            contract = known[name]
            if contract.event_date:
                day = quoted(contract.event_date)
                spans[name] = f"select {day}, {day} + 1 from ({_touched_sql(settings, contract, old, log)}) group by 1"
            else:
                # A row of a dated table holds until the next one: everything from its first day on may differ. A
                # snapshot says most rows once more; only those that hold otherwise than before count.
                day = quoted(str(contract.valid_from))
                ends = f", {quoted(contract.valid_to)}" if contract.valid_to else ""
                was, now = (
                    f"select {day}, _row_hash{ends} from "
                    f"({lake.current_sql(contract, moment.paths(settings, name), moment.told(settings, name))})"
                    for moment in (old, log)
                )
                changed = f"(({was}) except ({now})) union all (({now}) except ({was}))"
                spans[name] = f"select min({day}), date '9999-12-31' from ({changed}) having count(*) > 0"
        # From the first period on that was closed since: it is paid now, and later ones go on from it.
        if since := [folder.period_id for folder in given.closed[base.get("closed", 0) :]]:
            listed = ", ".join(literal(period) for period in since)
            spans["closed"] = (
                "select min(month_start) as first_day, date '9999-12-31' as last_day from config.fiscal_month"
                f" where month_id in ({listed}) or quarter_id in ({listed}) or year_id in ({listed})"
                " having count(*) > 0"
            )
        for table, feeds in (("dirty_month", ("", *BY_MONTH)), ("dirty_pay_month", tuple(spans))):
            con.execute(f"""
                insert into meta.{table}
                select month_start from config.fiscal_month
                semi join ({" union all ".join(spans[name] for name in feeds if name in spans)}) as span
                    on first_day < month_end and last_day > month_start
            """)
    return int(con.execute("select count(*) from meta.dirty_month").fetchall()[0][0])


def name_steps(con: duckdb.DuckDBPyConnection, lines: int) -> None:
    """Fill ``meta.build_step``: the steps of a full build, each of about as many sale lines, one at least.

    Pay is reckoned over quarters at most, unless a plan says over years.
    """
    over_years = """
        exists (select 1 from config.plan where period_type = 'year')
        or exists (select 1 from config.plan_component where accumulate = 'year_to_date')
    """
    con.execute(f"""
        create or replace temp table line_month as
        select
            month_start, year_start, coalesce(sum(line_count), 0) as line_count,
            case when {over_years} then year_start else quarter_start end as pay_start
        from config.fiscal_month
        left join (select sale_date, count(*) as line_count from lake.sales group by sale_date) as sold
            on sale_date >= month_start and sale_date < month_end
        group by month_start, year_start, quarter_start
    """)
    units = " union all ".join(
        f"""
        select '{unit}' as unit, min(month_start) as first_month, max(month_start) as last_month
        from (
            select month_start, (sum(line_count) over (order by {start}) - 1) // {lines} as step_no
            from line_month
        )
        group by step_no
        """
        for unit, start in (("month", "month_start"), ("pay", "pay_start"), ("year", "year_start"))
    )
    con.execute(f"create or replace table meta.build_step as {units}")
    con.execute("drop table line_month")


def _touched_sql(settings: Settings, contract: Contract, old: Log, log: Log) -> str:
    """SELECT of every version of the keys of an event feed that the commits after ``old`` can have changed.

    All versions count: a correction can take a row from one month to another, and a snapshot can end rows that it does
    not hold. Of sales all lines of the same documents, and what takes them back.
    """
    name, key = contract.feed, ", ".join(quoted(column) for column in contract.key)
    new = log.after(old.last)
    runs = ", ".join(literal(commit["run_id"]) for commit in new.commits)
    # A compacted file holds old rows beside new ones.
    rows = lake.rows_sql(contract, new.paths(settings, name))
    changed = [f"select {key} from ({rows}) where _run_id in ({runs})"]
    again = log.told(settings, name).changes(old.told(settings, name))
    if again:
        ids = ", ".join(f"({literal(source)}, {literal(delivery)})" for source, delivery in sorted(again))
        changed.append(f"select {key} from lake.{quoted(name)} where (_source, _delivery_id) in ({ids})")
    table, keys = f"lake.{quoted(name)}", " union all ".join(changed)
    if name != "sales":
        return f"select * from {table} semi join ({keys}) using ({key})"
    # An invoice is one deal of one size, whatever months its lines are in. What is taken back is credited as the sale
    # that it names, which may lie in another month.
    return (
        f"select * from {table} semi join ({keys}) using (transaction_id) "
        f"union all select returned.* from {table} as returned semi join ({keys}) as sold"
        " on returned.original_transaction_id = sold.transaction_id"
    )


def period_end_of(settings: Settings, company: Company, received: str, period: str | None) -> dt.date:
    """First day after the last fiscal month to build."""
    if period is None:
        day = dt.date.fromisoformat(received)
        year, month = day.year, day.month
    else:
        found = re.fullmatch(r"(\d{4})-M(0[1-9]|1[0-2])", period)
        if not found:
            raise UsageError(
                f"the period {period!r} is no fiscal month", mend="write it like 2026-M03 (fiscal year, fiscal month)"
            )
        # The fiscal year is named by the calendar year in which it ends.
        first = company.fiscal_year_start_month
        if int(found[1]) > 9000:
            raise UsageError(f"the period {period!r} lies outside of the calendar", mend="write it like 2026-M03")
        number = int(found[1]) * 12 + (first - 1) - (12 if first > 1 else 0) + int(found[2]) - 1
        year, month = number // 12, number % 12 + 1
    end = dt.date(year + month // 12, month % 12 + 1, 1)
    if end <= company.calendar_start:
        raise ConfigError(
            f"the last month to build ends on {end}, before the calendar starts",
            where=str(settings.company_file),
            mend="let calendar_start begin earlier, or give a later --period",
        )
    return end


def day_at(moment: str, time_zone: str) -> dt.date:
    """The day of a moment (UTC) in a time zone."""
    return dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC).astimezone(ZoneInfo(time_zone)).date()
