"""Edges of what plans pay: many cases, one dbt run.

Each case is a world of its own inside one warehouse: a plan, a payee, a dealer and a target that bear the case's key, so
that no case sees another's rows, and all of them cost one run of the models they need. The expected lines are reckoned by
hand from the case itself.

To add a case, add an entry to ``CASES``; the key is also the plan's name. A rule of another kind (a KPI, a review, a close)
gets a file like this one: a table of cases, a function that makes the rows of a case under its key, one module-scoped run
of ``+<its mart>``, and one parametrized test that reads the rows of a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from tests.dbt import company, warehouse

pytestmark = pytest.mark.integration

BANDS = [{"from": 0, "to": 0.8, "value": 1}, {"from": 0.8, "to": 1, "value": 1.5}, {"from": 1, "value": 2.5}]
WHAT = {"measure": {"of": "net_revenue"}, "target": {"metric": "net_revenue"}}
NOT_REACHED = "the band is not reached"


def commission(outside: str = "zero", **more: Any) -> dict[str, Any]:
    """1 % up to 80 % of the target, 1.5 % up to the target, 2.5 % beyond."""
    terms = {"basis": "attainment", "rule": "marginal", "pays": "pct", "bands": BANDS, "outside": outside}
    return {"id": "rate", **WHAT, "rate": terms, **more}


def bonus(mark: str) -> dict[str, Any]:
    """500.00 for a share of the target."""
    terms = {"basis": "attainment", "rule": "whole_base", "pays": "fixed", "bands": [{"from": mark, "value": "500.00"}]}
    return {"id": "bonus", **WHAT, "rate": {**terms, "outside": "zero"}}


@dataclass(frozen=True)
class Case:
    """A quarter of one payee.

    Attributes:
        lines: The statement's lines that have a base, or say why there is none: base, amount, reason.
        sold: Net amounts of the payee's sales; with a category where it is not Clothing.
    """

    lines: list[tuple[str, str | None, str | None]]
    sold: list[str | tuple[str, str]]
    target: str = "1000"
    component: dict[str, Any] = field(default_factory=commission)
    target_category: str | None = None


CASES = {
    "at_the_edge_of_a_band": Case([("800", "8.00", None)], ["800"]),
    "a_cent_over_the_edge": Case([("800", "8.00", None), ("0.67", "0.01", None)], ["800.67"]),
    "target_met": Case([("800", "8.00", None), ("200", "3.00", None)], ["1000"]),
    "over_the_target": Case([("800", "8.00", None), ("200", "3.00", None), ("500", "12.50", None)], ["1500"]),
    "half_a_cent_rounds_up": Case([("0.50", "0.01", None)], ["0.50"]),
    "less_than_half_a_cent": Case([("0.49", "0.00", "less than half a cent")], ["0.49"]),
    "sales_and_returns_even_out": Case([], ["300", "-300"]),
    "more_returns_than_sales_outside_zero": Case(
        [("-100", "0.00", "outside the bands; the plan pays nothing there")], ["200", "-300"]
    ),
    "more_returns_than_sales_outside_edge": Case([("-100", "-1.00", None)], ["200", "-300"], component=commission("edge")),
    "more_returns_than_sales_outside_hold": Case(
        [("-100", None, "outside the bands; the plan holds it for a person")], ["200", "-300"], component=commission("hold")
    ),
    "target_of_zero": Case([("900", "0.00", "the target is zero")], ["900"], target="0"),
    "target_below_zero": Case([("900", "0.00", "the target is negative")], ["900"], target="-5"),
    "mark_reached_exactly": Case([("1000", "500.00", None)], ["1000"], component=bonus("1")),
    "mark_missed_by_a_cent": Case([("999.99", "0.00", "below the lowest band")], ["999.99"], component=bonus("1")),
    # 2 / 3 of the target are less than 0.666667 of it, though the rounded quotient is not
    "mark_missed_by_less_than_the_quotient_shows": Case(
        [("2000", "0.00", "below the lowest band")], ["2000"], target="3000", component=bonus("0.666667")
    ),
    "one_category_only": Case(
        [("400", "4.00", None)], [("400", "Bikes"), "900"], component=commission(filter={"product_category": ["Bikes"]}), target_category="Bikes"
    ),
}  # fmt: skip


# 1 % of 100.50 in January and once more in February, over the year so far: 1.005 is 1.01 and 2.01 is 1.00 more.
YEAR = "cents_of_the_year"
YEAR_PLAN = {
    "id": "rate", "measure": {"of": "net_revenue"}, "accumulate": "year_to_date", "rate": {"basis": "none", "value": 1},
}  # fmt: skip


def plan(key: str, case: Case) -> dict[str, Any]:
    return {
        "plan": key, "version": 1, "name": key, "name_zh": key, "payee": "member", "currency": "CNY", "period": "quarter",
        "valid_from": "2025-01-01", "components": [case.component],
    }  # fmt: skip


def rows(key: str, case: Case) -> dict[str, company.Rows]:
    """A member who owns a dealer, sells to it, and has a target for the first quarter of 2026."""
    products = {"Clothing": "P2", "Bikes": "P1"}
    sold = [one if isinstance(one, tuple) else (one, "Clothing") for one in case.sold]
    sales = [
        company.sale(key, number, company.jan(10), key, products[category], net, "1")
        | ({"transaction_type": "return", "quantity": Decimal(-1)} if net.startswith("-") else {})
        for number, (net, category) in enumerate(sold, 1)
    ]
    target = company.target(key, f"member:{key}", "net_revenue", company.jan(1), warehouse.PERIOD_END, case.target)
    return {
        "dealers": [company.dealer(key, company.START, "North")],
        "team_members": [company.member(key, company.START, "sales", "Red")],
        "assignments": [company.share(key, key, "owner", company.START, None, 100)],
        "sales": sales,
        "targets": [target | {"product_category": case.target_category}],
        "plan_assignments": [company.plan(key, key, key, company.START, None)],
    }


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    feeds: dict[str, company.Rows] = {name: company.FEEDS[name] for name in ("fx_rates", "products")}
    for key, case in CASES.items():
        for feed, found in rows(key, case).items():
            feeds.setdefault(feed, []).extend(found)
    plans = {key: plan(key, case) for key, case in CASES.items()}
    two_months = Case([], ["100.50", "100.50"], component=YEAR_PLAN)
    plans[YEAR] = plan(YEAR, two_months) | {"period": "month"}
    for feed, found in rows(YEAR, two_months).items():
        feeds.setdefault(feed, []).extend(found)
    feeds["sales"][-1]["sale_date"] = company.jan(10) + timedelta(31)
    path = warehouse.make(tmp_path_factory.mktemp("plans"), feeds, company.COMPANY, plans)
    warehouse.build(path, "--select", "+mart_incentive__statement_line", "+mart_incentive__line_source", command="run")
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("key", CASES)
def test_what_a_plan_pays(con: duckdb.DuckDBPyConnection, key: str) -> None:
    found = con.execute(
        """
        select base_amount, amount, reason from marts.mart_incentive__statement_line
        where payee_id = ? and period_id = '2026-Q1' and reason is distinct from ? and base_amount <> 0
        order by lower_bound
        """,
        [key, NOT_REACHED],
    ).fetchall()
    assert found == [(Decimal(base), amount and Decimal(amount), reason) for base, amount, reason in CASES[key].lines]


def test_cents_of_sales_add_up_to_a_line_of_a_running_total(con: duckdb.DuckDBPyConnection) -> None:
    """February's sale has what February is paid, and no rest is left to the plan."""
    found = con.execute(
        """
        select line.period_id, line.amount, source.source_feed, source.amount
        from marts.mart_incentive__statement_line as line
        inner join marts.mart_incentive__line_source as source using (statement_line_id)
        where line.payee_id = ? and line.period_id in ('2026-M01', '2026-M02') and line.line_kind = 'earned'
        order by all
        """,
        [YEAR],
    ).fetchall()
    jan, feb = Decimal("1.01"), Decimal("1.00")
    assert found == [("2026-M01", jan, "sales", jan), ("2026-M02", feb, "sales", feb)]
