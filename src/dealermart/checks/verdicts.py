"""Run a suite on a table, say what every rule found, and find every row that fails."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import duckdb

from dealermart.base import CheckCrashed
from dealermart.checks import engine
from dealermart.checks.suite import check_columns
from dealermart.checks.types import KEY, QUARANTINED, Outcome, Rule, Suite

_TABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?")


def run(con: duckdb.DuckDBPyConnection, table: str, suite: Suite) -> list[Outcome]:
    """Evaluate a suite on ``table`` (``name`` or ``schema.name``; temporary tables and views will do).

    Nothing is written. A result still pending on ``con`` is lost, as with any other statement.

    Returns:
        One outcome per rule, in the suite's order.

    Raises:
        SuiteError: the table lacks a column that a rule names.
        CheckCrashed: a rule could not be evaluated, or not every rule was.
    """
    if not _TABLE_NAME.fullmatch(table):
        raise ValueError(f"not a plain table name: {table}")
    columns = {row[0] for row in con.execute(f"describe {table}").fetchall()}
    for rule in suite.rules:
        check_columns(rule, sorted(columns), f"{suite.path}: rule {rule.rule}")
    rows = _count(con, f"select count(*) from {table}")
    faults: list[tuple[Rule, str]] = []
    outcomes: list[Outcome] = []
    results, fault = engine.validate(con, table, suite.rules, keyed=KEY in columns)
    if fault is None:
        by_rule = {result.expectation_config.meta["rule"]: result for result in results}
        faults = [(rule, crash) for rule in suite.rules if (crash := engine.crash(by_rule.get(rule.rule))) is not None]
        if not faults:
            outcomes = [engine.outcome(rule, by_rule[rule.rule], table, rows, KEY in columns) for rule in suite.rules]
    if fault is not None or len(faults) > 1:  # one bad rule takes others down with it: find out which
        found = engine.crashes(con, table, suite.rules, keyed=KEY in columns)
        faults = found or faults or [(suite.rules[0], fault or "")]
    if faults:
        names = ", ".join(rule.rule for rule, _ in faults)
        raise CheckCrashed(
            f"rule {names} could not be evaluated{faults[0][1]}; nothing was judged",
            where=str(suite.path),
            mend="mend the rule or the table and run again: this says nothing about the data",
        )
    if len(results) != len(suite.rules):
        raise CheckCrashed(
            f"{len(results)} of {len(suite.rules)} rules gave a result; nothing was judged",
            where=str(suite.path),
            mend="run again; if it stays so, the installed Great Expectations is not the locked version",
        )
    return outcomes


def run_batch(con: duckdb.DuckDBPyConnection, table: str, suite: Suite, key: Sequence[str]) -> list[Outcome]:
    """As ``run``, on the batch of a feed. A deletion is judged by its key alone.

    A rule that names any other column is asked about the rows that delete nothing. Rules in SQL see every row: what a
    deletion does not hold is NULL in it, and ``_is_deleted`` tells it apart.

    Args:
        table: Has ``_is_deleted``. Where there are deletions, outcomes refer to the view ``<table>_kept`` made of it.
        key: Columns of the feed's key.
    """
    if not _count(con, f"select count(*) from {table} where _is_deleted"):
        return run(con, table, suite)
    con.execute(f"create or replace view {table}_kept as select * from {table} where not _is_deleted")
    of_all = [rule for rule in suite.rules if set(rule.columns) <= set(key)]
    of_kept = [rule for rule in suite.rules if rule not in of_all]
    found = {
        outcome.rule: outcome
        for name, rules in ((table, of_all), (f"{table}_kept", of_kept))
        if rules
        for outcome in run(con, name, replace(suite, rules=tuple(rules)))
    }
    return [found[rule.rule] for rule in suite.rules]


def kept(suite: Suite, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """What the log keeps of a suite's run: every rule as it was then and what it found. Counts only, no values."""
    found = {outcome.rule: outcome for outcome in outcomes}
    return [
        {
            "feed": suite.name,
            "rule": rule.rule,
            "type": rule.type,
            "severity": rule.severity,
            "description": rule.description,
            "kwargs": dict(rule.kwargs),
            "success": found[rule.rule].success,
            "rows": found[rule.rule].rows,
            "failed": found[rule.rule].failed,
        }
        for rule in suite.rules
        if rule.rule in found
    ]


def failing_rows(con: duckdb.DuckDBPyConnection, table: str, outcomes: Sequence[Outcome], into: str) -> dict[str, int]:
    """Insert (``_row_id``, ``rule``, ``severity``) of every row that fails a critical or warning rule.

    Args:
        con: The connection on which ``run`` gave ``outcomes`` for ``table``, which has not changed since.
        table: The table that was judged.
        into: Table to fill; made when it does not exist.

    Returns:
        Rows found per rule, for every row-level rule of these severities.

    Raises:
        CheckCrashed: the rows found are not as many as were counted.
    """
    for name in (table, into):
        if not _TABLE_NAME.fullmatch(name):
            raise ValueError(f"not a plain table name: {name}")
    con.execute(f"create table if not exists {into} ({KEY} bigint, rule varchar, severity varchar)")
    found: dict[str, int] = {}
    for outcome in outcomes:
        if outcome.severity not in QUARANTINED or outcome.failing_rows_sql is None:
            continue
        if outcome.failed == 0:  # the usual case, and each query is a scan
            found[outcome.rule] = 0
            continue
        found[outcome.rule] = _count(
            con,
            f"insert into {into} ({KEY}, rule, severity)"
            f" select distinct {KEY}, ?, ? from ({outcome.failing_rows_sql}\n)",
            [outcome.rule, outcome.severity],
        )
        if found[outcome.rule] != outcome.failed:
            raise CheckCrashed(
                f"rule {outcome.rule}: {outcome.failed} rows counted in {table}, {found[outcome.rule]} found",
                mend="a query that selects a row twice is the usual cause; nothing was judged",
            )
    return found


def _count(con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = ()) -> int:
    row = con.execute(sql, list(parameters)).fetchone()
    return int(row[0]) if row else 0
