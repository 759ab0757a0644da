"""What the room speaks of: types of expectations, a rule, a suite of rules, and what a rule found."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from dealermart.contracts import Contract

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
QUARANTINED: tuple[Severity, ...] = ("critical", "warning")

KEY = "_row_id"
BATCH_COLUMNS = {
    "_delivery_id": "varchar",
    "_row_number": "bigint",
    "_row_part": "integer",
    KEY: "bigint",
    "_is_deleted": "boolean",
}


@dataclass(frozen=True)
class Type:
    """An expectation type that the engine is proven to evaluate (tests/checks holds a case for each).

    Attributes:
        needs: Arguments that must stand in the suite. A tuple inside means: at least one of these.
        takes: Arguments that may stand there besides.
        rows: Whether it judges single rows, so that the failing ones can be found.
    """

    needs: tuple[str | tuple[str, ...], ...]
    takes: tuple[str, ...] = ()
    rows: bool = True

    @property
    def arguments(self) -> set[str]:
        needed = {name for need in self.needs for name in ((need,) if isinstance(need, str) else need)}
        return needed | set(self.takes)


_ROW = ("row_condition", "mostly")
_BOUNDS: tuple[tuple[str, ...], tuple[str, ...]] = (("min_value", "max_value"), ("strict_min", "strict_max"))
_PAIR = ("column_A", "column_B")
_MULTI = ("ignore_row_if", *_ROW)


def _aggregate() -> Type:
    return Type(("column", _BOUNDS[0]), (*_BOUNDS[1], "row_condition"), rows=False)


TYPES: dict[str, Type] = {
    # one column
    "expect_column_values_to_not_be_null": Type(("column",), _ROW),
    "expect_column_values_to_be_null": Type(("column",), _ROW),
    "expect_column_values_to_be_in_set": Type(("column", "value_set"), _ROW),
    "expect_column_values_to_not_be_in_set": Type(("column", "value_set"), _ROW),
    "expect_column_values_to_be_between": Type(("column", _BOUNDS[0]), (*_BOUNDS[1], *_ROW)),
    "expect_column_values_to_be_unique": Type(("column",), _ROW),
    "expect_column_values_to_match_regex": Type(("column", "regex"), _ROW),
    "expect_column_values_to_not_match_regex": Type(("column", "regex"), _ROW),
    "expect_column_values_to_match_regex_list": Type(("column", "regex_list"), ("match_on", *_ROW)),
    "expect_column_values_to_not_match_regex_list": Type(("column", "regex_list"), _ROW),
    "expect_column_value_lengths_to_be_between": Type(("column", _BOUNDS[0]), (*_BOUNDS[1], *_ROW)),
    "expect_column_value_lengths_to_equal": Type(("column", "value"), _ROW),
    # several columns of a row
    "expect_column_pair_values_a_to_be_greater_than_b": Type(_PAIR, ("or_equal", *_MULTI)),
    "expect_column_pair_values_to_be_equal": Type(_PAIR, _MULTI),
    # Great Expectations counts this one without its row condition: not taken.
    "expect_column_pair_values_to_be_in_set": Type((*_PAIR, "value_pairs_set"), ("ignore_row_if", "mostly")),
    "expect_compound_columns_to_be_unique": Type(("column_list",), _MULTI),
    "expect_select_column_values_to_be_unique_within_record": Type(("column_list",), _MULTI),
    "expect_multicolumn_sum_to_equal": Type(("column_list", "sum_total"), _MULTI),
    "expect_multicolumn_values_to_be_equal": Type(("column_list",), _MULTI),
    # any SQL that selects the failing rows' _row_id
    "unexpected_rows_expectation": Type(("unexpected_rows_query",)),
    # the table as a whole
    "expect_table_row_count_to_be_between": Type((_BOUNDS[0],), (*_BOUNDS[1], "row_condition"), rows=False),
    "expect_table_row_count_to_equal": Type(("value",), ("row_condition",), rows=False),
    "expect_table_columns_to_match_set": Type(("column_set",), ("exact_match",), rows=False),
    "expect_table_column_count_to_equal": Type(("value",), rows=False),
    "expect_column_min_to_be_between": _aggregate(),
    "expect_column_max_to_be_between": _aggregate(),
    "expect_column_mean_to_be_between": _aggregate(),
    "expect_column_sum_to_be_between": _aggregate(),
    "expect_column_unique_value_count_to_be_between": _aggregate(),
    "expect_column_proportion_of_non_null_values_to_be_between": _aggregate(),
}


QUERY = "unexpected_rows_expectation"


@dataclass(frozen=True)
class Rule:
    """One expectation of a suite. ``columns`` are those that it names outside of SQL; ``description`` is for people;
    ``waits_for`` are the feeds for which a failing row waits."""

    rule: str
    type: str
    severity: Severity
    kwargs: Mapping[str, Any]
    columns: tuple[str, ...]
    description: str
    waits_for: tuple[str, ...] = ()

    @property
    def is_row_level(self) -> bool:
        return TYPES[self.type].rows

    def reads(self, feed: str) -> bool:
        """Whether the SQL reads a view of this feed."""
        return self.type == QUERY and any(
            re.search(rf"\b{view}\b", str(self.kwargs["unexpected_rows_query"]), re.IGNORECASE) for view in views(feed)
        )


@dataclass(frozen=True)
class Suite:
    """The rules of one table; ``hash`` changes when the meaning of a rule can have changed, not with the layout."""

    name: str
    path: Path
    hash: str
    rules: tuple[Rule, ...]

    @property
    def waits_for(self) -> frozenset[str]:
        """The other feeds for which rows of this one can wait."""
        return frozenset(feed for rule in self.rules for feed in rule.waits_for) - {self.name}

    def about(self, complete: Collection[str] | None) -> Suite:
        """The suite without rules that wait for a feed that is not complete; None stands for all feeds."""
        return self._only(rule for rule in self.rules if complete is None or set(rule.waits_for) <= set(complete))

    def in_turn(self) -> tuple[Suite, Suite]:
        """The rules on what stands in the batch, and those that read the feed's own views and so hang on the former."""
        return (
            self._only(rule for rule in self.rules if not rule.reads(self.name)),
            self._only(rule for rule in self.rules if rule.reads(self.name)),
        )

    def _only(self, rules: Iterable[Rule]) -> Suite:
        return replace(self, rules=tuple(rules))


@dataclass(frozen=True)
class Outcome:
    """What a rule found. Counts only, no values.

    Attributes:
        success: Great Expectations' verdict (a rule with ``mostly`` can succeed and still have failing rows).
        rows: Rows looked at, after the row condition; all rows for rules on SQL or on the table as a whole.
        failed: Rows that fail; None for a rule on the table as a whole.
        failing_rows_sql: SELECT of the failing rows' ``_row_id``; None for a rule on the table as a whole, or where the
            table has no such column.
    """

    rule: str
    type: str
    severity: Severity
    success: bool
    rows: int
    failed: int | None
    failing_rows_sql: str | None


def batch_columns(contract: Contract) -> dict[str, str]:
    """Column name to SQL type of the table that a feed's suite judges: the contract's, and where a row is from."""
    return {column.name: column.sql_type for column in contract.columns} | BATCH_COLUMNS


def views(feed: str) -> tuple[str, str]:
    """Names of the views of a feed that the SQL of rules may read: the row in force per key, and every row."""
    return f"feed_{feed}", f"known_{feed}"
