"""Statements of the hand-made company (company.py), reckoned by hand from the plan that comes with the project.

The plan pays 1 % of the revenue up to 80 % of the target, 1.5 % up to the target, 2.5 % beyond, and 5,000.00 for
reaching it. Dollars count at the plan rate of 7.1.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.integration

NONE_REACHED = "the band is not reached"


def lines(con: duckdb.DuckDBPyConnection, payee: str, columns: str) -> list[tuple[Any, ...]]:
    return con.execute(
        f"select {columns} from marts.mart_incentive__statement_line "
        "where payee_id = ? and period_id = '2026-Q1' order by component_no, band_no",
        [payee],
    ).fetchall()


def test_revenue_is_paid_band_by_band_and_the_target_once(con: duckdb.DuckDBPyConnection) -> None:
    """M1 is credited 3,661 (1,580 in January, 2,010 in February, 71 in March) against 3,000 of the quarter's target."""
    found = lines(con, "M1", "component_id, band_no, base_amount, rate, amount, status, reason")
    assert found == [
        ("commission", 0, Decimal(0), None, Decimal("0.00"), "not_paid", NONE_REACHED),
        ("commission", 1, Decimal(2400), Decimal("0.01"), Decimal("24.00"), "paid", None),
        ("commission", 2, Decimal(600), Decimal("0.015"), Decimal("9.00"), "paid", None),
        ("commission", 3, Decimal(661), Decimal("0.025"), Decimal("16.53"), "paid", None),  # 16.525
        ("bonus", 1, Decimal(3661), Decimal(5000), Decimal("5000.00"), "paid", None),
    ]
    assert set(lines(con, "M1", "target_value, target_ids, attainment, scenario_id, plan_file, plan_version")) == {
        (Decimal(3000), "M1-Q1", Decimal("1.22033333"), "paid", "plans/sales_commission.yml", 1)
    }


def test_who_gets_the_plan_within_the_quarter_is_credited_from_that_day_against_the_whole_target(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """M2 has the plan from February 10th: the 2,000 of that day count, the 400 of the 9th and January's 580 do not."""
    assert lines(con, "M2", "component_id, band_no, base_amount, target_value, amount, reason") == [
        ("commission", 0, Decimal(0), Decimal(3000), Decimal("0.00"), NONE_REACHED),
        ("commission", 1, Decimal(2000), Decimal(3000), Decimal("20.00"), None),
        ("commission", 2, Decimal(0), Decimal(3000), Decimal("0.00"), NONE_REACHED),
        ("commission", 3, Decimal(0), Decimal(3000), Decimal("0.00"), NONE_REACHED),
        ("bonus", 0, Decimal(2000), Decimal(3000), Decimal("0.00"), "below the lowest band"),
    ]


def test_without_a_target_nothing_is_paid_and_the_lines_say_so(con: duckdb.DuckDBPyConnection) -> None:
    reason = "there is no target in the period"
    assert lines(con, "M3", "component_id, band_no, base_amount, amount, status, reason") == [
        ("commission", None, Decimal(0), Decimal("0.00"), "not_paid", reason),
        ("bonus", None, Decimal(0), Decimal("0.00"), "not_paid", reason),
    ]


@pytest.mark.parametrize(
    ("payee", "plan", "amount", "status", "reason"),
    [
        ("M1", "sales_commission", "5049.53", "paid", None),
        ("M2", "sales_commission", "20.00", "paid", None),
        ("M3", "sales_commission", "0.00", "not_paid", "no line pays; each says why"),
        ("M3", "no_such_plan", "0.00", "not_paid", "the plan is not in config/plans"),
    ],
)
def test_statements(
    con: duckdb.DuckDBPyConnection, payee: str, plan: str, amount: str, status: str, reason: str | None
) -> None:
    found = con.execute(
        "select amount, status, reason from marts.mart_incentive__statement "
        "where payee_id = ? and plan_id = ? and period_id = '2026-Q1'",
        [payee, plan],
    ).fetchall()
    assert found == [(Decimal(amount), status, reason)]


def test_every_cent_leads_to_rows_of_files(con: duckdb.DuckDBPyConnection) -> None:
    """M1's sales fill 2,400 at 1 % up to the 600 of T4 on February 9th; its last 110 and T5's 300 earn 1.5 %, ...

    in the order 600 + 270 (January 10th), 710 (31st), 710 (February 1st), 600 (9th), 300 (14th), 400 (15th),
    71 (March 2nd), 800 (5th), -800 (20th).
    """
    found = con.execute(
        """
        select line.band_no, source.transaction_id, source.line_no, source.credited_amount, source.amount
        from marts.mart_incentive__line_source as source
        inner join marts.mart_incentive__statement_line as line using (statement_line_id)
        where line.payee_id = 'M1' and line.period_id = '2026-Q1' and line.component_id = 'commission'
        """
    ).fetchall()
    expected = [
        # running total 600, 870, 1580, 2290, 2400: 1 % of each, rounded, less what went before
        (1, "T1", 1, "600", "6.00"), (1, "T1", 2, "270", "2.70"), (1, "T2", 1, "710", "7.10"),
        (1, "T3", 1, "710", "7.10"), (1, "T4", 1, "110", "1.10"),
        # 490, 600 at 1.5 %: 7.35, 9.00
        (2, "T4", 1, "490", "7.35"), (2, "T5", 1, "110", "1.65"),
        # 190, 590, 661, 1461, 661 at 2.5 %: 4.75, 14.75, 16.525, 36.525, 16.525
        (3, "T5", 1, "190", "4.75"), (3, "T6", 1, "400", "10.00"), (3, "T9", 1, "71", "1.78"),
        (3, "T7", 1, "800", "20.00"), (3, "R7", 1, "-800", "-20.00"),
    ]  # fmt: skip
    assert sorted(found) == sorted((no, t, n, Decimal(base), Decimal(amount)) for no, t, n, base, amount in expected)
    files = con.execute(
        "select distinct source_feed, _source, _source_file, _row_part from marts.mart_incentive__line_source"
    ).fetchall()
    assert files == [("sales", "hand", "sales.csv", 1)]
