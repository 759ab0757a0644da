"""Suites of tests, and what only tests ask of suites: a run on an empty table, and the hash of a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dealermart.base import SuiteError
from dealermart.checks import Suite, engine, suite
from dealermart.config import Contract


def rehearse(rehearsed: Suite, columns: Mapping[str, str], feeds: Mapping[str, Contract] | None = None) -> None:
    """Try every rule on an empty table of these types: it takes as long as a real run.

    Raises:
        SuiteError: a bound, set or comparison does not fit its column's type.
    """
    con = suite.empty_table(columns)
    try:
        suite.empty_views(con, rehearsed.rules, feeds or {})
        faults = engine.crashes(con, suite.EMPTY, rehearsed.rules)
    finally:
        con.close()
    if faults:
        rule, fault = faults[0]
        raise SuiteError(
            f"the rule cannot be evaluated on columns of these types{fault}",
            where=f"{rehearsed.path}: rule {rule.rule}",
            mend="see that column types, bounds, sets and expressions fit together",
        )


def suite_hash(path: Path) -> str:
    """The hash of a suite whose rules name no columns that a table would have to hold."""
    return suite.load_suite(path).hash


COLUMNS = {"_row_id": "bigint", "code": "varchar", "amount": "decimal(18,4)", "day": "date"}
BETWEEN = "expect_column_values_to_be_between"
REGEX = "expect_column_values_to_match_regex"


def rule(
    name: str = "code_missing",
    kind: str = "expect_column_values_to_not_be_null",
    severity: str = "warning",
    **kwargs: Any,
) -> dict[str, Any]:
    return {
        "type": kind,
        "kwargs": kwargs or {"column": "code"},
        "meta": {"rule": name},
        "severity": severity,
        "description": "what is wrong",
    }


def sql(query: str, name: str = "planted", severity: str = "warning") -> dict[str, Any]:
    return rule(name, "unexpected_rows_expectation", severity, unexpected_rows_query=query)
