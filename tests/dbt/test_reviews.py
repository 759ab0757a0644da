"""Scorecards of the hand-made company (company.py), reckoned by hand from the templates that come with the project."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.integration


def scorecard(con: duckdb.DuckDBPyConnection, member: str) -> dict[str, tuple[Any, ...]]:
    rows = con.execute(
        "select criterion_id, kpi_value, score, weight_pct, left_out_reason from marts.mart_review__scorecard "
        "where member_id = ? and period_id = '2026-Q1'",
        [member],
    ).fetchall()
    return {criterion: tuple(rest) for criterion, *rest in rows}


def test_scores_of_a_seller(con: duckdb.DuckDBPyConnection) -> None:
    """M1 sold 3,662 at a cost of 2,415.20 and completed two of three trainings in the quarter."""
    assert scorecard(con, "M1") == {
        # 3661 / 3000 lies beyond the last point
        "attainment": (Decimal("1.22033333"), Decimal(100), Decimal(50), None),
        # 1246.8 / 3662; 60 + 0.14046969 x 40 / 0.15
        "margin": (Decimal("0.34046969"), Decimal("97.4586"), Decimal(15), None),
        "growth": (None, None, Decimal(10), "sales cover only a part of the same period last year"),
        # 2 / 3; 0.16666667 x 60 / 0.3
        "training": (Decimal("0.66666667"), Decimal("33.3333"), Decimal(15), None),
        "satisfaction": (None, None, Decimal(10), "no survey sent in the period"),
    }


@pytest.mark.parametrize(
    ("member", "template", "team", "score", "weight", "missing", "rating"),
    [
        # (50 x 100 + 15 x 97.4586 + 15 x 33.3333) / 80 = 87.0235; M1 ends the quarter in team Blue
        ("M1", "sales_quarterly", "Blue", "87.02", 80, "growth, satisfaction", "exceeds"),
        # 2980 / 3000 gets 84.1667, 300 / 980 gets 88.2993: (50 x 84.1667 + 15 x 88.2993) / 65 = 85.1204
        ("M2", "sales_quarterly", "Red", "85.12", 65, "growth, training, satisfaction", "exceeds"),
        # 3 of 5 satisfied: 0.2 x 60 / 0.35 = 34.2857, on exactly the weight that is needed
        ("M3", "service_quarterly", "Care", "34.29", 60, "training, team_attainment", "below"),
    ],
)
def test_rating_is_the_mean_of_what_was_measured(
    con: duckdb.DuckDBPyConnection,
    member: str,
    template: str,
    team: str,
    score: str,
    weight: int,
    missing: str,
    rating: str,
) -> None:
    found = con.execute(
        "select template_id, team, total_score, scored_weight_pct, left_out_criteria, rating, status, reason "
        "from marts.mart_review__rating where member_id = ? and period_id = '2026-Q1'",
        [member],
    ).fetchall()
    assert found == [(template, team, Decimal(score), Decimal(weight), missing, rating, "rated", None)]


def test_with_too_little_measured_a_member_is_not_rated(con: duckdb.DuckDBPyConnection) -> None:
    """M1 had no target in the last quarter of 2025, and no training or survey either."""
    found = con.execute(
        "select total_score, rating, status, reason from marts.mart_review__rating "
        "where member_id = 'M1' and period_id = '2025-Q4'"
    ).fetchall()
    assert found == [(None, None, "not_rated", "too little of the weight could be scored")]


def test_who_had_left_is_not_reviewed(con: duckdb.DuckDBPyConnection) -> None:
    periods = con.execute("select period_id from marts.mart_review__rating where member_id = 'M4'").fetchall()
    assert sorted(periods) == [("2025-Q1",), ("2025-Q2",), ("2025-Q3",), ("2025-Q4",)]


def test_a_plain_join_of_reviews_on_the_latest_row_keeps_who_left_and_doubles_nobody(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """M1 changed the team and has two rows; M4 left on 1 January, so that no row of M4 is in force."""
    joined = con.execute(
        "select rating.member_id, member.member_name, member.team, count(*) "
        "from marts.mart_review__rating as rating "
        "inner join marts.dim_member as member on rating.member_id = member.member_id and member.is_latest "
        "where rating.period_id = '2025-Q4' group by all order by all"
    ).fetchall()
    assert joined == [
        ("M1", "M1", "Blue", 1),
        ("M2", "M2", "Red", 1),
        ("M3", "M3", "Care", 1),
        ("M4", "M4", "Red", 1),
    ]
    assert con.execute("select count(*) from marts.dim_member where member_id = 'M4' and is_current").fetchall() == [
        (0,)
    ]
    for dim, key in (("dim_member", "member_id"), ("dim_dealer", "dealer_id"), ("dim_product", "product_id")):
        sql = f"select count(*) filter (where is_latest), count(distinct {key}) from marts.{dim}"
        ((latest, all_of_them),) = con.execute(sql).fetchall()
        assert latest == all_of_them > 0, dim
