"""Scorecards of the hand-made company (company.py), reckoned by hand from the templates that come with the project."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.integration


def scorecard(con: duckdb.DuckDBPyConnection, member: str) -> dict[str, tuple[Any, ...]]:
    rows = con.execute(
        "select criterion_id, value, score, weight_pct, total_weight_pct, reason from marts.mart_review__scorecard_line "
        "where member_id = ? and period_id = '2026-Q1' and part = 'kpi'",
        [member],
    ).fetchall()
    return {criterion: tuple(rest) for criterion, *rest in rows}


def test_scores_of_a_seller(con: duckdb.DuckDBPyConnection) -> None:
    """M1 sold 3,662 at a cost of 2,415.20 and completed two of three trainings in the quarter; KPIs weigh 65 %."""
    assert scorecard(con, "M1") == {
        # 3661 / 3000 lies beyond the last point
        "attainment": (Decimal("1.22033333"), Decimal(100), Decimal(40), Decimal(26), None),
        "market_share": (None, None, Decimal(10), Decimal("6.5"), "no value of the KPI for the period"),
        # 1246.8 / 3662; 60 + 0.14046969 x 40 / 0.15
        "margin": (Decimal("0.34046969"), Decimal("97.4586"), Decimal(10), Decimal("6.5"), None),
        "satisfaction": (None, None, Decimal(15), Decimal("9.75"), "no survey sent in the period"),
        # 2 / 3; 0.16666667 x 60 / 0.3
        "training": (Decimal("0.66666667"), Decimal("33.3333"), Decimal(15), Decimal("9.75"), None),
        "goals": (None, None, Decimal(10), Decimal("6.5"), "no goal of the member names the criterion"),
    }


def test_every_part_has_its_lines_even_where_nobody_said_a_word(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select part, criterion_id, status, reason, reason_zh from marts.mart_review__scorecard_line "
        "where member_id = 'M1' and period_id = '2026-Q1' and part <> 'kpi' order by part_no, criterion_no"
    ).fetchall()
    said = ("not_given", "nobody gave a rating that counts", "无有效评价")
    parts = ("self", "manager", "peers", "dealers")
    assert rows == [(part, criterion, *said) for part in parts for criterion in ("teamwork", "initiative")]


@pytest.mark.parametrize(
    ("member", "template", "team", "score", "weight", "total", "rating"),
    [
        # (40 x 100 + 10 x 97.4586 + 15 x 33.3333) / 65 = 84.2244 on 65 % of 65; M1 ends the quarter in team Blue
        ("M1", "sales_quarterly", "Blue", "84.2244", "42.25", "84.22", "exceeds"),
        # 2980 / 3000 gets 84.1667, 300 / 980 gets 88.2993: (40 x 84.1667 + 10 x 88.2993) / 50 on half of 65
        ("M2", "sales_quarterly", "Red", "84.9932", "32.5", None, None),
        # 3 of 5 satisfied: 0.2 x 60 / 0.35 = 34.2857 on 30 % of 65
        ("M3", "service_quarterly", "Care", "34.2857", "19.5", None, None),
    ],
)
def test_result_is_the_mean_of_what_was_measured(
    con: duckdb.DuckDBPyConnection,
    member: str,
    template: str,
    team: str,
    score: str,
    weight: str,
    total: str | None,
    rating: str | None,
) -> None:
    found = con.execute(
        "select template_id, team, kpi_score, scored_weight_pct, total_score, final_score, rating, missing_parts, reason "
        "from marts.mart_review__member_quarter where member_id = ? and period_id = '2026-Q1'",
        [member],
    ).fetchall()
    points = None if total is None else Decimal(total)
    reason = "too little of the weight could be scored" if total is None else None
    missing = "self, manager, peers, dealers"
    expected = (template, team, Decimal(score), Decimal(weight), points, points, rating, missing, reason)
    assert found == [expected]


def test_with_too_little_measured_a_member_is_not_rated(con: duckdb.DuckDBPyConnection) -> None:
    """M1 had no target in the last quarter of 2025, and no training or survey either."""
    found = con.execute(
        "select total_score, rating, status, reason, reason_zh from marts.mart_review__member_quarter "
        "where member_id = 'M1' and period_id = '2025-Q4'"
    ).fetchall()
    assert found == [(None, None, "not_rated", "too little of the weight could be scored", "可评分的权重不足")]


def test_who_had_left_is_not_reviewed(con: duckdb.DuckDBPyConnection) -> None:
    periods = con.execute("select period_id from marts.mart_review__member_quarter where member_id = 'M4'").fetchall()
    assert sorted(periods) == [("2025-Q1",), ("2025-Q2",), ("2025-Q3",), ("2025-Q4",)]


def test_a_plain_join_of_reviews_on_the_latest_row_keeps_who_left_and_doubles_nobody(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """M1 changed the team and has two rows; M4 left on 1 January, so that no row of M4 is in force."""
    joined = con.execute(
        "select result.member_id, member.member_name, member.team, count(*) "
        "from marts.mart_review__member_quarter as result "
        "inner join marts.dim_member as member on result.member_id = member.member_id and member.is_latest "
        "where result.period_id = '2025-Q4' group by all order by all"
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
