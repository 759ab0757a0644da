"""What touches Great Expectations' objects: rules become expectations, results become outcomes.

Great Expectations is imported when something is checked and not before. Nothing that leaves this module carries a value
of the data.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from dealermart.base import CheckCrashed, quoted
from dealermart.checks.kinds import QUERY
from dealermart.checks.types import KEY, Outcome, Rule

TWINS = "twins"
# DuckDB's messages quote data after the kind of the fault; the kind alone is safe to show.
_FAULT = re.compile(
    r"\b(Binder|Catalog|Connection|Constraint|Conversion|Dependency|Fatal|INTERNAL|IO|Interrupt|Invalid Input|Invalid"
    r"|Not implemented|Out of Memory|Out of Range|Parser|Permission|Serialization|Syntax|TransactionContext) Error\b"
)


def find_twins(con: duckdb.DuckDBPyConnection, table: str, key: Sequence[str]) -> None:
    """Make the table ``twins`` of rules: the rows whose key stands in ``table`` more than once, found by its hash.

    Hashes can clash, so who reads it compares the keys. To sort them takes a third of what the engine takes to group.
    """
    place = f"hash({', '.join(map(quoted, key))})"
    places = np.sort(np.asarray(con.execute(f"select {place} as place from {table}").fetchnumpy()["place"]))
    con.register("keys__twice", pa.table({"place": np.unique(places[1:][places[1:] == places[:-1]])}))
    con.execute(f"""
        create or replace temp table {TWINS} as
        select {KEY} from {table} as rows semi join keys__twice as twice on twice.place = {place}
    """)
    con.unregister("keys__twice")


def define_currency(con: duckdb.DuckDBPyConnection, code: str) -> None:
    """The macro ``reporting_currency()`` of rules, on this connection."""
    con.execute(f"create or replace temp macro reporting_currency() as '{code}'")


def validate(
    con: duckdb.DuckDBPyConnection, table: str, rules: Sequence[Rule], *, keyed: bool
) -> tuple[list[Any], str | None]:
    """Great Expectations' results in its own order, or the kind of the fault that kept it from starting."""
    import great_expectations as gx

    from dealermart.checks import gx as duck

    result_format: dict[str, Any] = {  # counts and SQL; no values
        "result_format": "BASIC",
        "partial_unexpected_count": 0,
        "exclude_unexpected_values": True,
    }
    if keyed:
        result_format |= {"unexpected_index_column_names": [KEY], "return_unexpected_index_query": True}
    try:
        with duck.quiet(), duck.open_batch(con, table) as batch:
            suite = gx.ExpectationSuite(name=table, expectations=[expectation(rule) for rule in rules])
            return list(batch.validate(suite, result_format=result_format).results), None
    except Exception as error:  # whatever it is, it may quote data: only its kind goes on
        return [], _kind(f"{type(error).__name__}: {error}")


def expectation(rule: Rule) -> Any:
    """Great Expectations' object of a rule; raises whatever its models raise about the arguments."""
    from great_expectations.expectations.metadata_types import FailureSeverity

    from dealermart.checks.remember import Configuration

    return Configuration(
        type=rule.type, kwargs=dict(rule.kwargs), meta={"rule": rule.rule}, severity=FailureSeverity(rule.severity)
    ).to_domain_obj()


def crashes(
    con: duckdb.DuckDBPyConnection, table: str, rules: Sequence[Rule], *, keyed: bool = True
) -> list[tuple[Rule, str]]:
    """Rules that cannot be evaluated, with the kind of the fault; one by one when all together fail."""
    results, fault = validate(con, table, rules, keyed=keyed)
    crashed = fault is not None or any(crash(result) is not None for result in results)
    if not crashed:
        return []
    if len(rules) == 1:
        return [(rules[0], fault if fault is not None else crash(results[0]) or "")]
    return [fault for rule in rules for fault in crashes(con, table, [rule], keyed=keyed)]


def crash(result: Any) -> str | None:
    """The kind of the fault when a rule crashed, None when it was evaluated."""
    if result is None:
        return ""
    info = result.exception_info or {}
    # Either one exception, or one per metric.
    parts = [info] if "raised_exception" in info else [part for part in info.values() if isinstance(part, dict)]
    for part in parts:
        if part.get("raised_exception"):
            return _kind(str(part.get("exception_message")))
    return None


def _kind(message: str) -> str:
    match = _FAULT.search(message)
    return f" ({match[0]})" if match else ""


def outcome(rule: Rule, result: Any, table: str, rows: int, keyed: bool) -> Outcome:
    """What the result of a rule on ``table`` says; ``rows`` are all of the table, ``keyed`` if they have row ids."""
    found = result.result
    seen, failed, sql = rows, None, None
    if rule.type == QUERY:
        failed = int(found["observed_value"])
        sql = sql_of(rule, table) if keyed else None
    elif rule.is_row_level:
        seen, failed = int(found["element_count"]), int(found["unexpected_count"] or 0)  # None on an empty table
        sql = found.get("unexpected_index_query")
        if keyed and sql is None:
            raise CheckCrashed(f"rule {rule.rule} gave no query of its failing rows; nothing was judged")
    return Outcome(rule.rule, rule.type, rule.severity, bool(result.success), seen, failed, sql)


def sql_of(rule: Rule, table: str) -> str:
    """The SQL of a query rule on ``table``, cut at the end as Great Expectations cuts it."""
    return str(rule.kwargs["unexpected_rows_query"]).rstrip("; \t\r\n\v\f").format(batch=table)
