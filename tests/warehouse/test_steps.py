"""The steps in which a full build goes through sale lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import duckdb
import pytest

from dealermart.warehouse.inputs import name_steps

# Two fiscal years that begin in April, a sale line on the first day of each month.
MADE = """
    create schema config; create schema lake; create schema meta;
    create table config.fiscal_month as
    select
        month_start::date as month_start,
        (month_start + interval 1 month)::date as month_end,
        (date '2025-04-01' + to_months(no // 3 * 3))::date as quarter_start,
        (date '2025-04-01' + to_months(no // 12 * 12))::date as year_start
    from (select no, date '2025-04-01' + to_months(no) as month_start from range(24) as months(no));
    create table lake.sales as select month_start as sale_date from config.fiscal_month;
    create table config.plan as select 'quarter' as period_type;
    create table config.plan_component as select 'period' as accumulate;
"""
QUARTERS = [dt.date(year, month, 1) for year, month in ((2025, 4), (2025, 7), (2025, 10), (2026, 1))]
YEARS = [dt.date(2025, 4, 1), dt.date(2026, 4, 1)]


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute(MADE)
        yield made


def _steps(con: duckdb.DuckDBPyConnection, unit: str, lines: int) -> list[dt.date]:
    """First months of the steps, after it was checked that each month of two years is in one of them."""
    name_steps(con, lines)
    steps = con.execute(
        "select first_month, last_month from meta.build_step where unit = ? order by first_month", [unit]
    ).fetchall()
    months = [month for (month,) in con.execute("select month_start from config.fiscal_month order by 1").fetchall()]
    held = [month for first, last in steps for month in months if first <= month <= last]
    assert held == months
    return [first for first, _ in steps]


def test_a_step_has_about_as_many_lines_as_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    assert len(_steps(con, "month", 1)) == 24
    assert len(_steps(con, "month", 2)) == 12
    assert _steps(con, "pay", 12) == YEARS
    assert _steps(con, "month", 24) == _steps(con, "pay", 24) == _steps(con, "year", 24) == YEARS[:1]


def test_a_quarter_or_year_stays_whole_however_many_lines_it_has(con: duckdb.DuckDBPyConnection) -> None:
    assert _steps(con, "pay", 1)[:4] == QUARTERS
    assert _steps(con, "year", 1) == YEARS


@pytest.mark.parametrize(
    "plan",
    ["update config.plan set period_type = 'year'", "update config.plan_component set accumulate = 'year_to_date'"],
)
def test_pay_goes_by_years_where_a_plan_reckons_over_them(con: duckdb.DuckDBPyConnection, plan: str) -> None:
    con.execute(plan)
    assert _steps(con, "pay", 1) == YEARS
    assert len(_steps(con, "month", 1)) == 24


def test_without_sales_there_is_one_step(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("delete from lake.sales")
    assert [len(_steps(con, unit, 1)) for unit in ("month", "pay", "year")] == [1, 1, 1]
