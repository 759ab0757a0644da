"""Who says which rows fail: the suites when files arrive."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import duckdb

from dealermart import checks, mapping
from dealermart.base import ConfigError, Settings, quoted
from dealermart.config import Company, Contract, Profile, load_yaml
from dealermart.ingest.overrides import Refusals


@dataclass(frozen=True)
class Rejects:
    """Rows of a file that could not be read or mapped: how many of how many (structural ones aside), and the first.

    Rows that wait for what another feed brings are not among them: that says nothing about the file.
    """

    rows: int
    of: int
    first_row: int
    first_reason: str


# (connection, feed, table, rejects per delivery) -> error text per refused delivery.
# Fills the tables failing (_row_id, rule, severity, reason, waits_for) and refused_delivery (delivery_id).
Judge = Callable[[duckdb.DuckDBPyConnection, str, str, dict[str, Rejects]], dict[str, str]]


def feeds_of(profile: Profile) -> list[str]:
    """The feeds that a source delivers, in the order of its profile."""
    return list(dict.fromkeys(spec.feed for spec in profile.files if spec.feed))


def masters_first(feeds: Iterable[str], waits: Mapping[str, Collection[str]]) -> list[str]:
    """Feeds in an order in which each comes after those that its rows can wait for, so that what arrives together
    need not wait.

    Raises:
        ConfigError: feeds wait for each other in a circle.
    """
    listed = list(feeds)
    sorter = TopologicalSorter(
        {feed: [other for other in listed if other in waits[feed] and other != feed] for feed in listed}
    )
    try:
        return list(sorter.static_order())
    except CycleError as error:
        raise ConfigError(
            f"rows of these feeds wait for each other in a circle: {' - '.join(error.args[1])}",
            where="expectations",
            mend="take one of the feeds out of waits_for of a suite, or out of waits of a profile",
        ) from None


MOSTLY_REJECTED = "mostly_rejected"

# Where most dates are not read, the others are read by the wrong order: nothing of such a file is to be taken.
DATES = (
    "look at the dates in the file and say their order under `dates` of its entry in source.yml, such as "
    'dates: ["%d/%m/%Y"], then ingest again'
)


class Suites(dict[str, checks.Suite]):
    """Suites of feeds, loaded when they are asked for, without the rules on feeds that are not complete.

    Raises:
        SuiteError: a suite is broken. ConfigError: the company file is.
    """

    def __init__(self, settings: Settings, known: dict[str, Contract]) -> None:
        super().__init__()
        company = load_yaml(settings.company_file, Company)
        if unknown := sorted(set(company.complete_feeds or ()) - set(known)):
            raise ConfigError(
                f"field complete_feeds: there is no feed {', '.join(unknown)}",
                where=str(settings.company_file),
                mend=f"one of: {', '.join(known)}",
            )
        self.currency, self._complete = company.reporting_currency, company.complete_feeds
        self._settings, self._known = settings, known

    def load(self, feeds: Iterable[str]) -> None:
        for feed in feeds:
            self[feed]

    def __missing__(self, feed: str) -> checks.Suite:
        path = self._settings.expectations / f"{feed}.json"
        suite = checks.load_suite(path, checks.batch_columns(self._known[feed]), self._known)
        self[feed] = suite.about(self._complete)
        return self[feed]


def feed_order(profile: Profile, suites: Suites) -> list[str]:
    """The feeds of a source, each after those that its rows can wait for by its suite or its profile."""
    waits = {feed: set(suites[feed].waits_for) for feed in feeds_of(profile)}
    for spec in profile.files:
        if spec.feed:
            waits[spec.feed].update(*spec.waits.values())
    return masters_first(waits, waits)


def judge_by_suites(
    suites: Suites, known: dict[str, Contract], refusals: Refusals, kept: list[dict[str, Any]] | None = None
) -> Judge:
    """A judge that asks the feed's suite: critical failures refuse the files that hold them, others quarantine rows.

    A file most of whose rows could not be read or mapped is refused too: it is not the file it should be. Where a
    person overrode a refusal, what fails in it is quarantined row by row. What every rule found is added to ``kept``.
    """

    def judge(con: duckdb.DuckDBPyConnection, feed: str, table: str, rejects: dict[str, Rejects]) -> dict[str, str]:
        checks.define_currency(con, suites.currency)
        suite, by_views = suites[feed].in_turn()
        outcomes = checks.run_batch(con, table, suite, known[feed].key)
        if kept is not None:
            kept.extend(checks.kept(suite, outcomes))
        checks.failing_rows(con, table, outcomes, "failing")
        reasons = {rule.rule: rule.description for rule in suites[feed].rules}
        names = dict(con.execute("select delivery_id, source_file from delivery").fetchall())
        for delivery_id, lost in rejects.items():
            if lost.rows * 2 > lost.of:
                first = f"first in row {lost.first_row}: {lost.first_reason}"
                what = f"{lost.rows} of {lost.of} rows cannot be taken ({first})"
                mend = "compare the file with the source's profile; correct one of them and ingest again"
                is_of_dates = mapping.is_of_dates(lost.first_reason)
                refusals.add(
                    MOSTLY_REJECTED,
                    delivery_id,
                    names[delivery_id],
                    what,
                    DATES if is_of_dates else mend,
                    not is_of_dates,
                )
        for outcome in outcomes:
            if outcome.severity != "critical" or outcome.success:
                continue
            if outcome.failing_rows_sql is None:
                held = con.execute(f"select _delivery_id, null from {table} group by 1").fetchall()
            else:
                held = con.execute(
                    f"select _delivery_id, min(_row_number) from {table} join failing using (_row_id) "
                    "where rule = ? group by 1",
                    [outcome.rule],
                ).fetchall()
            for delivery_id, row in held:
                place = f" (first in row {row})" if row is not None else ""
                what = f"critical check {outcome.rule}: {reasons[outcome.rule]}{place}"
                refusals.add(
                    outcome.rule, delivery_id, names[delivery_id], what, "correct the file and deliver it again"
                )
        if refusals.errors:
            con.executemany(
                "insert into refused_delivery values (?)", [[delivery_id] for delivery_id in refusals.errors]
            )
        judge_by_own_rows(con, table, by_views, kept)
        con.executemany(
            "update failing set reason = $reason, waits_for = $waits_for where rule = $rule",
            [
                {"rule": rule.rule, "reason": rule.description, "waits_for": ",".join(rule.waits_for) or None}
                for rule in suites[feed].rules
            ],
        )
        _name_rates(con, table, suites[feed])
        return refusals.errors

    return judge


def _name_rates(con: duckdb.DuckDBPyConnection, table: str, suite: checks.Suite) -> None:
    """Name the currencies, and the first day, for which rows lack a rate: that is what somebody has to deliver."""
    for rule in suite.rules:
        found = re.fullmatch(
            "there is no rate from currency_code to the reporting currency on or before (.+)", rule.description
        )
        if found:
            con.execute(
                f"""
                update failing set reason = concat(
                    'there is no rate from ', lacking.currency_code, ' to ', reporting_currency(), ' on or before ',
                    lacking.first_day, ' ({found[1]}); the feed fx_rates brings it'
                )
                from (
                    select _row_id, currency_code,
                        min(cast({quoted(found[1])} as date)) over (partition by currency_code) as first_day
                    from {table} semi join (select _row_id from failing where rule = $rule) using (_row_id)
                ) as lacking
                where failing._row_id = lacking._row_id and failing.rule = $rule
                """,
                {"rule": rule.rule},
            )


def judge_by_own_rows(
    con: duckdb.DuckDBPyConnection, table: str, suite: checks.Suite, kept: list[dict[str, Any]] | None = None
) -> None:
    """The rules that read the views of the feed itself. A row that fails leaves these views, on which others of the
    batch may have built (a return of a line that waits itself), so they are asked until nothing new fails."""
    new = 1 if suite.rules else 0
    while new:
        con.execute(f"create temp table again ({checks.KEY} bigint, rule varchar, severity varchar)")
        outcomes = checks.run(con, table, suite)
        checks.failing_rows(con, table, outcomes, "again")
        new = con.execute(f"""
            insert into failing ({checks.KEY}, rule, severity)
            select * from again anti join failing using ({checks.KEY}, rule)
        """).fetchall()[0][0]
        con.execute("drop table again")
    if kept is not None and suite.rules:
        kept.extend(checks.kept(suite, outcomes))
