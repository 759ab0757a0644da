"""Types of expectations that the engine is proven to evaluate: what they take, and which metric finds their rows.

Here stand those that the suites of this repository use; a suite may use those of ``rare`` as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Type:
    """An expectation type (tests/checks/test_kinds.py holds cases for each).

    Attributes:
        needs: Arguments that must stand in the suite. A tuple inside means: at least one of these.
        takes: Arguments that may stand there besides.
        metric: Great Expectations' name of the condition by which it judges single rows, so that the failing ones can
            be found; None for a type that judges the table as a whole, and for SQL, which finds them itself. For a
            condition that is not named here Great Expectations would write a query of its own, which is wrong.
        rows: Whether it judges single rows.
    """

    needs: tuple[str | tuple[str, ...], ...]
    takes: tuple[str, ...] = ()
    metric: str | None = None
    rows: bool = True

    @property
    def arguments(self) -> set[str]:
        needed = {name for need in self.needs for name in ((need,) if isinstance(need, str) else need)}
        return needed | set(self.takes)


ROW = ("row_condition", "mostly")
BOUNDS: tuple[str, ...] = ("min_value", "max_value")
STRICT: tuple[str, ...] = ("strict_min", "strict_max")
PAIR = ("column_A", "column_B")
MULTI = ("ignore_row_if", *ROW)
# Any SQL that selects the failing rows' _row_id.
QUERY = "unexpected_rows_expectation"

COMMON: dict[str, Type] = {
    "expect_column_values_to_not_be_null": Type(("column",), ROW, "column_values.nonnull"),
    "expect_column_values_to_be_in_set": Type(("column", "value_set"), ROW, "column_values.in_set"),
    "expect_column_values_to_be_between": Type(("column", BOUNDS), (*STRICT, *ROW), "column_values.between"),
    "expect_column_values_to_match_regex": Type(("column", "regex"), ROW, "column_values.match_regex"),
    "expect_column_pair_values_a_to_be_greater_than_b": Type(
        PAIR, ("or_equal", *MULTI), "column_pair_values.a_greater_than_b"
    ),
    "expect_table_row_count_to_be_between": Type((BOUNDS,), (*STRICT, "row_condition"), rows=False),
    QUERY: Type(("unexpected_rows_query",)),
}
