"""Types of expectations that no suite of this repository uses; a company's own suites may, so they are kept proven."""

from __future__ import annotations

from typing import Any

from dealermart.checks.kinds import BOUNDS, MULTI, PAIR, ROW, STRICT, Type

_AGGREGATE = Type(("column", BOUNDS), (*STRICT, "row_condition"), rows=False)

RARE: dict[str, Type] = {
    # one column
    "expect_column_values_to_be_null": Type(("column",), ROW, "column_values.null"),
    "expect_column_values_to_not_be_in_set": Type(("column", "value_set"), ROW, "column_values.not_in_set"),
    "expect_column_values_to_be_unique": Type(("column",), ROW, "column_values.unique"),
    "expect_column_values_to_not_match_regex": Type(("column", "regex"), ROW, "column_values.not_match_regex"),
    "expect_column_values_to_match_regex_list": Type(
        ("column", "regex_list"), ("match_on", *ROW), "column_values.match_regex_list"
    ),
    "expect_column_values_to_not_match_regex_list": Type(
        ("column", "regex_list"), ROW, "column_values.not_match_regex_list"
    ),
    "expect_column_value_lengths_to_be_between": Type(
        ("column", BOUNDS), (*STRICT, *ROW), "column_values.value_length.between"
    ),
    "expect_column_value_lengths_to_equal": Type(("column", "value"), ROW, "column_values.value_length.equals"),
    # several columns of a row
    "expect_column_pair_values_to_be_equal": Type(PAIR, MULTI, "column_pair_values.equal"),
    # Great Expectations counts this one without its row condition: not taken.
    "expect_column_pair_values_to_be_in_set": Type(
        (*PAIR, "value_pairs_set"), ("ignore_row_if", "mostly"), "column_pair_values.in_set"
    ),
    "expect_compound_columns_to_be_unique": Type(("column_list",), MULTI, "compound_columns.unique"),
    "expect_select_column_values_to_be_unique_within_record": Type(
        ("column_list",), MULTI, "select_column_values.unique.within_record"
    ),
    "expect_multicolumn_sum_to_equal": Type(("column_list", "sum_total"), MULTI, "multicolumn_sum.equal"),
    "expect_multicolumn_values_to_be_equal": Type(("column_list",), MULTI, "multicolumn_values.equal"),
    # the table as a whole
    "expect_table_row_count_to_equal": Type(("value",), ("row_condition",), rows=False),
    "expect_table_columns_to_match_set": Type(("column_set",), ("exact_match",), rows=False),
    "expect_table_column_count_to_equal": Type(("value",), rows=False),
    "expect_column_min_to_be_between": _AGGREGATE,
    "expect_column_max_to_be_between": _AGGREGATE,
    "expect_column_mean_to_be_between": _AGGREGATE,
    "expect_column_sum_to_be_between": _AGGREGATE,
    "expect_column_unique_value_count_to_be_between": _AGGREGATE,
    "expect_column_proportion_of_non_null_values_to_be_between": _AGGREGATE,
}


def add_regexes(engine: type) -> None:
    """Give Great Expectations the conditions on regular expressions of these types for the SQL of an engine (RE2)."""
    import sqlalchemy as sa
    from great_expectations.expectations.metrics.map_metric_provider import (
        ColumnMapMetricProvider,
        column_condition_partial,
    )

    matches = sa.func.regexp_matches

    class _NotMatchRegex(ColumnMapMetricProvider):
        condition_metric_name = "column_values.not_match_regex"
        condition_value_keys = ("regex",)

        @column_condition_partial(engine=engine)
        def _sql(cls, column: Any, regex: str, **kwargs: Any) -> Any:
            return sa.not_(matches(column, regex))

    class _MatchRegexList(ColumnMapMetricProvider):
        condition_metric_name = "column_values.match_regex_list"
        condition_value_keys = ("regex_list", "match_on")

        @column_condition_partial(engine=engine)
        def _sql(cls, column: Any, regex_list: list[str], match_on: str | None = None, **kwargs: Any) -> Any:
            join = sa.and_ if match_on == "all" else sa.or_
            return join(*[matches(column, regex) for regex in regex_list])

    class _NotMatchRegexList(ColumnMapMetricProvider):
        condition_metric_name = "column_values.not_match_regex_list"
        condition_value_keys = ("regex_list",)

        @column_condition_partial(engine=engine)
        def _sql(cls, column: Any, regex_list: list[str], **kwargs: Any) -> Any:
            return sa.not_(sa.or_(*[matches(column, regex) for regex in regex_list]))
