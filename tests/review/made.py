"""A published copy made by hand: tables with the columns of the marts' contracts, filled with the rows of a small quarter.

Nine members of two teams. What a cell must not do with a text of the data is in it: texts that begin as formulas do, tags
of HTML, Chinese, a text longer than a cell.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from dealermart.base import REPO

Row = dict[str, Any]

QUARTER, START, END = "2026-Q3", dt.date(2026, 7, 1), dt.date(2026, 10, 1)
BEFORE = {"period_id": "2026-Q2", "period_start": dt.date(2026, 4, 1), "period_end": START}
NOW = {"period_id": QUARTER, "period_start": START, "period_end": END}

TABLES = (
    "mart_review__scorecard_line", "mart_review__member_quarter", "mart_review__goal", "mart_review__input",
    "mart_review__rater", "mart_review__distribution", "mart_review__nine_box", "mart_review__calibration_proposal",
    "mart_review__appeal", "mart_review__timeline", "mart_review__manager_overdue", "mart_review__follow_up",
    "mart_review__career", "mart_review__career_condition", "mart_review__fairness", "mart_kpi__training_plan",
    "fct_recognition", "mart_incentive__statement", "mart_kpi__target_window", "dim_member", "dim_dealer", "dim_kpi",
    "dim_period",
)  # fmt: skip

HOSTILE = ('=HYPERLINK("http://example.com","x")', "+1+1", "-2+3", "@SUM(A1)", "<script>alert(1)</script>", "\t=1")


@cache
def contract(table: str) -> dict[str, str]:
    """Column -> type of a mart, as its yml says."""
    (path,) = (REPO / "dbt_project" / "models" / "marts").rglob(f"{table}.yml")
    (model,) = [model for model in yaml.safe_load(path.read_text("utf-8"))["models"] if model["name"] == table]
    return {column["name"]: column["data_type"] for column in model["columns"]}


def write(path: Path, rows: dict[str, Iterable[Row]], leave_out: Iterable[str] = ()) -> Path:
    """Write a copy; a column that a row does not name is empty.

    Raises:
        KeyError: a row names a column that the contract does not have.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as con:
        for table in TABLES:
            if table in leave_out:
                continue
            columns = contract(table)
            con.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
            found = list(rows.get(table, ()))
            for row in found:
                if unknown := set(row) - set(columns):
                    raise KeyError(f"{table} has no {', '.join(sorted(unknown))}")
            if found:
                marks = ", ".join("?" * len(columns))
                con.executemany(
                    f"insert into {table} values ({marks})", [[row.get(name) for name in columns] for row in found]
                )
        con.execute("create table about (name varchar, value varchar)")
        about = {
            "as_of": "2026-10-20 06:00:00.000000",
            "published_run": "run-1",
            "code_version": "0.1.0",
            "audience": "hr",
        }
        con.executemany("insert into about values (?, ?)", [[name, value] for name, value in about.items()])
    return path


# ------------------------------------------------------------------------------------------------- the quarter

# member, name, role, team, manager, kpi, self, manager's, peers', dealers' scores; the total is 50/10/20/10/10 of those there.
PEOPLE: tuple[tuple[Any, ...], ...] = (
    ("M1", "王芳", "sales", "North", "M9", 92, 90, 95, 88, 91),
    ("M2", "Li Wei", "sales", "North", "M9", 70, None, 75, 72, None),
    ("M3", "=1+1", "sales", "North", "M9", 44, 80, 50, None, 40),
    ("M4", "Zoë Ng", "sales", "South", "M8", 81, 85, 84, 80, 79),
    ("M5", "赵敏", "service", "South", "M8", 66, 70, 60, 65, 62),
    ("M6", "Ann <b>Bo</b>", "service", "South", "M8", None, 75, None, None, None),
    ("M7", "钱七", "support", "North", "M9", 77, 78, 79, 74, None),
    ("M8", "孙经理", "manager", "South", "M9", 75, 80, 70, None, None),
    ("M9", "周总监", "manager", "North", None, 85, 82, None, None, None),
)  # fmt: skip

PARTS = {"kpi": 50, "self": 10, "manager": 20, "peers": 10, "dealers": 10}

BANDS = ((90, "outstanding", "Outstanding", "卓越"), (80, "exceeds", "Exceeds expectations", "超出预期"), (65, "meets", "Meets expectations", "符合预期"), (0, "below", "Below expectations", "低于预期"))  # fmt: skip

# Worked out by hand: weights of the parts present times their scores, by the weight present.
# M1: (50*92 + 10*90 + 20*95 + 10*88 + 10*91) / 100 = 9190 / 100
# M2: (50*70 + 20*75 + 10*72) / 80 = 5720 / 80
# M3: (50*44 + 10*80 + 20*50 + 10*40) / 90 = 4400 / 90; on appeal 60 instead of 44 for the KPIs: (3000 + 2200) / 90
# M4: (4050 + 850 + 1680 + 800 + 790) / 100
# M5: (3300 + 700 + 1200 + 650 + 620) / 100
# M7: (3850 + 780 + 1580 + 740) / 90
# M8: (3750 + 800 + 1400) / 80
# M9: (4250 + 820) / 60
TOTALS = {
    "M1": "91.90",
    "M2": "71.50",
    "M3": "48.89",
    "M4": "81.70",
    "M5": "64.70",
    "M6": None,
    "M7": "77.22",
    "M8": "74.38",
    "M9": "84.50",
}
FINALS = TOTALS | {"M3": "57.78"}
RANKS = {"M1": (1, 4), "M4": (2, 4), "M2": (3, 4), "M3": (4, 4), "M5": (1, 1), "M7": (1, 1), "M9": (1, 2), "M8": (2, 2)}


def band(score: str | None) -> tuple[int, str, str, str] | None:
    return None if score is None else next(band for band in BANDS if Decimal(score) >= band[0])


def results() -> list[Row]:
    rows = []
    for member, name, role, team, manager, *scores in PEOPLE:
        total, final = TOTALS[member], FINALS[member]
        before, after = band(total), band(final)
        missing = [part for part, score in zip(PARTS, scores, strict=True) if score is None]
        rank, ranked = RANKS.get(member, (None, None))
        rows.append({
            **NOW, "member_id": member, "member_name": name, "role": role, "team": team, "grade": "G2", "region": "East",
            "manager_id": manager, "manager_count": 1, "hired_date": dt.date(2024, 2, 1), "employed_days": 92,
            "is_newcomer": False, "is_transferred": False, "template_id": f"{role}_quarterly", "template_version": 2,
            "template_hash": "h", "template_file": f"{role}.yml", "template_name": f"Review, {role}", "template_name_zh": f"考核（{role}）",
            **{f"{part}_score": score for part, score in zip(PARTS, scores, strict=True)},
            "line_count": 6, "scored_count": 5, "scored_weight_pct": sum(PARTS[part] for part in PARTS if part not in missing),
            "min_scored_weight_pct": 60, "missing_parts": ", ".join(missing) or None, "missing_parts_zh": "、".join(missing) or None,
            "total_score": total, "rating": before and before[1], "rating_name": before and before[2], "rating_name_zh": before and before[3],
            "appeal_count": int(member == "M3"), "is_changed_on_appeal": member == "M3",
            "final_score": final, "final_rating": after and after[1], "final_rating_name": after and after[2],
            "final_rating_name_zh": after and after[3], "final_rating_no": after and BANDS.index(after) + 1,
            "status": "rated" if total else "not_rated", "reason": None if total else "too little of the weight could be scored",
            "reason_zh": None if total else "可评权重不足", "rank_in_role": rank, "ranked_in_role": ranked, "rank_in_team": rank,
            "ranked_in_team": ranked, "previous_period_id": "2026-Q2", "previous_score": "70.00" if total else None,
            "previous_rating": "meets" if total else None, "change_points": Decimal(final or 0) - 70 if total else None,
        })  # fmt: skip
    past = [
        row
        | BEFORE
        | {
            "final_score": "70.00",
            "total_score": "70.00",
            "kpi_score": 70,
            "previous_score": None,
            "change_points": None,
        }
        for row in rows
        if row["member_id"] != "M6"
    ]
    return rows + past


def lines() -> list[Row]:
    """Two criteria of KPIs of equal weight with the same score, and one rating for each part that there is."""
    rows = []
    for member, _, role, team, _, *scores in PEOPLE:
        who = {
            "member_id": member,
            "role": role,
            "team": team,
            "template_id": f"{role}_quarterly",
            "template_version": 2,
        }
        for no, (part, score) in enumerate(zip(PARTS, scores, strict=True), start=1):
            final = 60 if member == "M3" and part == "kpi" else score
            shared = {
                **NOW, **who, "part": part, "part_no": no, "part_weight_pct": PARTS[part], "subject_type": "member", "subject_id": member,
                "score": score, "final_score": final, "is_scored": score is not None, "status": "ok" if score is not None else "no_data",
                "reason": None if score is not None else "nobody rated", "reason_zh": None if score is not None else "无人评价",
            }  # fmt: skip
            if part == "kpi":
                for place, (criterion, name, zh, kpi, value, target, unit) in enumerate((
                    ("sales", "Sales amount", "销售额", "net_revenue", Decimal("1234567.89"), 1_200_000, "currency"),
                    ("satisfaction", "Customer satisfaction", "客户满意度", "csat_pct", Decimal("0.8125"), None, "share"),
                ), start=1):  # fmt: skip
                    own = {
                        "criterion_id": criterion, "criterion_no": place, "criterion_name": name, "criterion_name_zh": zh, "source": "kpi",
                        "kpi_code": kpi, "value": value if score is not None else None, "unit": unit, "currency_code": "CNY" if unit == "currency" else None,
                        "target_value": target, "sample_size": 16, "ci_low": Decimal("0.57") if unit == "share" else None,
                        "ci_high": Decimal("0.93") if unit == "share" else None, "ci_method": "wilson" if unit == "share" else None,
                        "definition_version": 1, "weight_pct": 50, "total_weight_pct": 25, "evidence": "16 answers", "evidence_zh": "16 份答卷",
                    }  # fmt: skip
                    rows.append(shared | own)
                    rows.append(
                        shared
                        | own
                        | BEFORE
                        | {
                            "score": 70,
                            "final_score": 70,
                            "value": value and value * Decimal("0.9"),
                            "is_scored": True,
                            "status": "ok",
                            "reason": None,
                            "reason_zh": None,
                        }
                    )
            else:
                rows.append(shared | {
                    "criterion_id": "teamwork", "criterion_no": 3, "criterion_name": "Teamwork", "criterion_name_zh": "团队协作", "source": "rating",
                    "value": score, "unit": "score", "sample_size": 1 if score is not None else 0, "weight_pct": 100, "total_weight_pct": PARTS[part],
                })  # fmt: skip
    return rows


def inputs() -> list[Row]:
    rows = []
    said = {
        "M1": "谢谢团队",
        "M3": HOSTILE[0],
        "M4": HOSTILE[4],
        "M5": HOSTILE[1],
        "M6": HOSTILE[2],
        "M7": HOSTILE[3],
        "M8": "长" * 40_000,
    }
    shared = {
        "period_id": QUARTER,
        "version_no": 1,
        "criterion_id": "teamwork",
        "criterion_name": "Teamwork",
        "criterion_name_zh": "团队协作",
        "scale_min": 1,
        "scale_max": 5,
        "due_date": dt.date(2026, 10, 15),
    }
    for member, _, _, _, manager, *scores in PEOPLE:
        for part, score in zip(list(PARTS)[1:], scores[1:], strict=True):
            if score is None:
                continue
            rater = {"self": member, "manager": manager}.get(part)
            rows.append(shared | {
                "review_input_id": f"{member}-{part}", "member_id": member, "part": part, "rater_id": rater, "score": Decimal(score) / 25 + 1,
                "score_of_hundred": score, "comment": said.get(member) if part == "self" else f"{part} on {member}", "submitted_date": dt.date(2026, 10, 5),
                "rater_count": 1, "status": "counted",
            })  # fmt: skip
    rows.append(shared | {
        "review_input_id": "late", "member_id": "M2", "part": "self", "rater_id": "M2", "submitted_date": dt.date(2026, 11, 1), "status": "refused",
        "reason": "it came after the last day", "reason_zh": "逾期提交", "rater_count": 0,
    })  # fmt: skip
    rows.append(
        shared
        | {
            "review_input_id": "M1-potential",
            "member_id": "M1",
            "part": "manager",
            "rater_id": "M9",
            "criterion_id": "potential",
            "criterion_name": "Potential",
            "criterion_name_zh": "潜力",
            "score": 5,
            "score_of_hundred": 100,
            "comment": "could lead a team",
            "status": "counted",
            "rater_count": 1,
        }
    )
    rows.append(
        shared
        | {
            "review_input_id": "few",
            "member_id": "M5",
            "part": "peers",
            "version_no": 2,
            "status": "hidden",
            "reason": "fewer raters than may be shown",
            "reason_zh": "评价人数不足",
            "rater_count": 2,
        }
    )
    return rows


def others() -> dict[str, list[Row]]:
    """All tables but results, lines and inputs."""
    ids = [person[0] for person in PEOPLE]
    place = {person[0]: {"role": person[2], "team": person[3]} for person in PEOPLE}
    boss = {person[0]: person[4] for person in PEOPLE}
    return {
        "mart_review__goal": [
            {"goal_id": "G1", "member_id": "M1", "period_id": QUARTER, "goal_title": "Ten new dealers", "status": "open", "depth": 1, "child_count": 2, "leaf_count": 2, "progress_pct": 75, "is_counted": True},
            {"goal_id": "G2", "member_id": "M1", "period_id": QUARTER, "parent_goal_id": "G1", "goal_title": "华东五家", "status": "done", "depth": 2, "leaf_count": 1, "stated_progress_pct": 100, "progress_pct": 100, "is_counted": True},
            {"goal_id": "G3", "member_id": "M1", "period_id": QUARTER, "parent_goal_id": "G1", "goal_title": "Five in the south", "status": "open", "depth": 2, "leaf_count": 1, "stated_progress_pct": 50, "progress_pct": 50, "is_counted": True},
            {"goal_id": "G4", "member_id": "M1", "period_id": "2026-Q4", "goal_title": "Sell the new line / 推广新品", "status": "open", "depth": 1, "leaf_count": 1, "progress_pct": 0, "is_counted": True},
        ],
        "mart_review__rater": [
            {"period_id": QUARTER, "period_start": START, "rater_type": "manager", "rater_id": rater, "member_count": count, "rating_count": count, "mean_score": mean, "others_mean_score": other, "leniency_points": mean - other, "leniency_ci_low": mean - other - 9, "leniency_ci_high": mean - other + 9, "spread_points": 8, "others_spread_points": 10, "spread_ratio": Decimal("0.8"), "is_own_team_only": True, "status": "lenient" if mean > other else "in_line", "reason": "only the own team was rated", "reason_zh": "仅评本团队"}
            for rater, count, mean, other in (("M8", 2, 72, 75), ("M9", 4, 75, 72))
        ],
        "mart_review__distribution": [
            {"period_id": QUARTER, "period_start": START, "scope_type": scope, "scope_id": code, "rating": band[1], "rating_no": no, "rating_name": band[2], "rating_name_zh": band[3], "member_count": count, "rated_count": rated, "share": Decimal(count) / rated, "ci_low": 0, "ci_high": 1, "guideline_share": Decimal("0.25"), "difference_points": (Decimal(count) / rated - Decimal("0.25")) * 100, "is_outside": False, "is_small": rated < 5}
            for scope, code, rated, counts in (("company", "company", 8, (1, 2, 3, 2)), ("role", "sales", 4, (1, 1, 1, 1)))
            for no, (band, count) in enumerate(zip(BANDS, counts, strict=True), start=1)
        ],
        "mart_review__nine_box": [
            {**NOW, **place[member], "member_id": member, "performance_score": FINALS[member], "potential_score": potential, "potential_rater_count": 1 if potential else 0, "performance_band": performance, "potential_band": level, "box": box, "box_name": name, "box_name_zh": zh, "status": "placed" if box else "not_placed", "reason": None if box else "nobody rated potential", "reason_zh": None if box else "无人评潜力"}
            for member, potential, performance, level, box, name, zh in (
                ("M1", 90, 3, 3, 9, "Star", "明星"), ("M2", 60, 2, 2, 5, "Core", "骨干"), ("M3", 30, 1, 1, 1, "At risk", "待改进"),
                ("M4", 88, 3, 3, 9, "Star", "明星"), ("M5", None, None, None, None, None, None),
            )
        ],
        "mart_review__calibration_proposal": [
            {**NOW, **place["M2"], "member_id": "M2", "proposal": "lenient_manager", "rater_id": "M9", "current_score": "71.50", "proposed_score": "69.00", "current_rating": "meets", "proposed_rating": "meets", "reason": "3 points above the others", "reason_zh": "高出他人3分"}
        ],
        "mart_review__appeal": [
            {"appeal_id": "A1", "member_id": "M3", "period_id": QUARTER, **place["M3"], "manager_id": "M9", "criterion_id": "sales", "criterion_name": "Sales amount", "criterion_name_zh": "销售额", "reason": "=A deal is missing", "submitted_date": dt.date(2026, 10, 12), "due_date": dt.date(2026, 10, 26), "decided_date": dt.date(2026, 10, 18), "decided_by_id": "M9", "outcome": "granted", "score_before": 44, "score_after": 60, "is_applied": True, "total_score": "48.89", "final_score": "57.78", "rating": "below", "final_rating": "below", "open_days": 6, "status": "decided"}
        ],
        "mart_review__timeline": [
            {**NOW, **place[member], "member_id": member, "manager_id": boss[member], "self_status": "missing" if member == "M2" else "given", "manager_status": "given", "delivered_date": None if member == "M6" else dt.date(2026, 10, 10), "delivered_by_id": boss[member], "delivery_due_date": dt.date(2026, 10, 31), "delivery_days": None if member == "M6" else 9, "delivery_status": "open" if member == "M6" else "in_time", "acknowledged_date": dt.date(2026, 10, 12) if member == "M1" else None, "acknowledgement_days": 2 if member == "M1" else None, "acknowledgement_status": "in_time" if member == "M1" else "open"}
            for member in ids
        ],
        "mart_review__manager_overdue": [
            {"manager_id": "M9", "manager_name": "周总监", "period_id": QUARTER, "period_start": START, "member_count": 5, "ratings_missing": 1, "deliveries_overdue": 2, "acknowledgements_overdue": 0, "appeals_overdue": 0, "improvements_overdue": 1, "talks_overdue": 0, "overdue_count": 4, "oldest_due_date": dt.date(2026, 9, 1), "oldest_overdue_days": 49},
            {"manager_id": "M8", "manager_name": "孙经理", "period_id": QUARTER, "period_start": START, "member_count": 3, "ratings_missing": 0, "deliveries_overdue": 0, "acknowledgements_overdue": 0, "appeals_overdue": 0, "improvements_overdue": 0, "talks_overdue": 0, "overdue_count": 0},
        ],
        "mart_review__follow_up": [
            {"action_id": "F1", "kind": "improvement", "member_id": "M3", "owner_id": "M3", "manager_id": "M9", "team": "North", "period_id": QUARTER, "text": "-visit two dealers a week", "agreed_date": dt.date(2026, 8, 1), "due_date": dt.date(2026, 9, 1), "status": "overdue", "overdue_days": 49},
            {"action_id": "F2", "kind": "career_conversation", "member_id": "M1", "owner_id": "M9", "manager_id": "M9", "team": "North", "period_id": QUARTER, "text": "下一职级", "agreed_date": dt.date(2026, 8, 1), "due_date": dt.date(2026, 9, 30), "done_date": dt.date(2026, 9, 20), "outcome": "done", "status": "done"},
        ],
        "mart_review__career": [
            {**NOW, **place[member], "member_id": member, "grade": "G2", "next_grade": "G3", "months_in_grade": 20, "condition_count": 2, "met_count": 2 if member == "M1" else 1, "unknown_count": 0, "is_ready": member == "M1", "status": "ready" if member == "M1" else "not_ready", "missing": None if member == "M1" else "4 more months in grade", "missing_zh": None if member == "M1" else "本级还差4个月", "recognition_count": 1 if member == "M1" else 0, "last_award": "季度之星" if member == "M1" else None, "last_awarded_date": dt.date(2026, 9, 1) if member == "M1" else None, "plan_proposal_count": 0}
            for member in ids
        ],
        "mart_review__career_condition": [
            {"member_id": member, "period_id": QUARTER, "period_end": END, "role": place[member]["role"], "from_grade": "G2", "to_grade": "G3", "condition_no": no, "kind": kind, "condition_text": text, "condition_text_zh": zh, "required_value": asked, "actual_value": there, "gap": max(0, asked - there), "status": "met" if there >= asked else "not_met", "proposed_course_name": course, "proposed_hours": hours}
            for member, there in (("M1", 25), ("M2", 20))
            for no, kind, text, zh, asked, course, hours in ((1, "months_in_grade", "24 months in grade", "本级满24个月", 24, None, None), (2, "skill", "Selling at 20", "销售技巧20分", 20, "Selling II", 8))
        ],
        "mart_review__fairness": [
            {"period_id": QUARTER, "period_start": START, "measure": "rating", "statistic": "mean", "dimension": "gender", "group_id": "female", "member_count": 5, "value": Decimal("71.5"), "unit": "score", "ci_low": 60, "ci_high": 83, "ci_method": "normal", "reference_group_id": "female", "ratio": 1},
            {"period_id": QUARTER, "period_start": START, "measure": "rating", "statistic": "mean", "dimension": "gender", "group_id": "male", "unit": "score", "is_suppressed": True, "reason": "fewer than 5", "reason_zh": "少于5人"},
            {"period_id": QUARTER, "period_start": START, "measure": "pay", "statistic": "median", "dimension": "team", "group_id": "North", "member_count": 5, "value": 12000, "unit": "currency", "currency_code": "CNY", "ci_low": 9000, "ci_high": 15000, "ci_method": "order", "reference_group_id": "North", "ratio": 1, "is_suppressed": False},
            {"period_id": QUARTER, "period_start": START, "measure": "top_rating", "statistic": "selection", "dimension": "team", "group_id": "North", "member_count": 5, "selected_count": 2, "value": Decimal("0.4"), "unit": "share", "ci_low": Decimal("0.12"), "ci_high": Decimal("0.77"), "ci_method": "wilson", "reference_group_id": "North", "ratio": 1, "is_below_four_fifths": False, "is_suppressed": False},
            {"period_id": QUARTER, "period_start": START, "measure": "top_rating", "statistic": "selection", "dimension": "team", "group_id": "South", "member_count": 5, "selected_count": 1, "value": Decimal("0.2"), "unit": "share", "ci_low": Decimal("0.04"), "ci_high": Decimal("0.62"), "ci_method": "wilson", "reference_group_id": "North", "ratio": Decimal("0.5"), "is_below_four_fifths": True, "is_suppressed": False},
        ],
        "mart_kpi__training_plan": [
            {"member_id": "M3", "member_name": "=1+1", **place["M3"], "grade": "G2", "manager_id": "M9", "topic": "selling", "priority": 2, "skill_level": 40, "required_level": 60, "gap_points": 20, "proposed_course_name": "Selling I", "proposed_hours": 6, "due_date": dt.date(2026, 12, 1), "reason": "the skill is below", "reason_zh": "技能不足"}
        ],
        "fct_recognition": [
            {"recognition_id": "R1", "member_id": "M1", "award": "季度之星", "awarded_date": dt.date(2026, 9, 1), "given_by_id": "M9", "reason": "two large deals"},
            {"recognition_id": "R0", "member_id": "M1", "award": "old", "awarded_date": dt.date(2026, 6, 30)},
        ],
        "mart_incentive__statement": [
            {"scenario_id": scenario, "payee_type": kind, "payee_id": payee, "plan_id": "sales_commission", "plan_version": 1, "period_id": period, "period_start": start, "period_end": end, "is_complete": True, "line_count": 3, "held_line_count": 0, "amount": amount, "currency_code": currency, "status": "paid"}
            for scenario, kind, payee, period, start, end, amount, currency in (
                ("paid", "member", "M1", QUARTER, START, END, "12345.67", "CNY"), ("paid", "member", "M2", "2026-M07", START, dt.date(2026, 8, 1), "800.00", "EUR"),
                ("other", "member", "M1", QUARTER, START, END, "1.00", "CNY"), ("paid", "dealer", "D1", QUARTER, START, END, "5.00", "CNY"),
                ("paid", "member", "M1", "2026-Q2", BEFORE["period_start"], START, "7.00", "CNY"),
            )
        ],
        "mart_kpi__target_window": [
            {"target_id": "T1", "subject_type": "member", "subject_id": "M1", "metric": "net_revenue", "valid_from": START, "valid_to": END, "is_complete": True, "target_value": 1_200_000, "unit": "CNY", "target_value_compared": 1_200_000, "actual_value": Decimal("1234567.89"), "currency_code": "CNY", "direction": "higher", "attainment": Decimal("1.02880658"), "is_reached": True, "status": "ok"},
            {"target_id": "T2", "subject_type": "member", "subject_id": "M1", "metric": "net_revenue", "valid_from": END, "valid_to": dt.date(2027, 1, 1), "is_complete": False, "target_value": 1_300_000, "unit": "CNY", "target_value_compared": 1_300_000, "currency_code": "CNY", "direction": "higher", "status": "no_data"},
        ],
        "dim_member": [
            {"member_id": member, "valid_from": dt.date(2024, 2, 1), "is_current": True, "is_latest": True, "member_name": name, "role": role, "team": team, "manager_id": manager, "grade": "G2", "base_pay_amount": 98_765, "currency_code": "CNY"}
            for member, name, role, team, manager, *_ in PEOPLE
        ],
        "dim_dealer": [{"dealer_id": "D1", "valid_from": dt.date(2024, 1, 1), "is_latest": True, "dealer_name": "东方经销"}],
        "dim_kpi": [
            {"kpi_code": "net_revenue", "kpi_name": "Net revenue", "kpi_name_zh": "净销售额", "unit": "currency", "direction": "higher", "formula": "sum of net amounts", "formula_zh": "净额合计", "population": "sales credited", "population_zh": "归属的销售", "audience": "bi", "definition_version": 1},
            {"kpi_code": "csat_pct", "kpi_name": "CSAT", "kpi_name_zh": "客户满意度", "unit": "share", "direction": "higher", "formula": "top two of five", "formula_zh": "五级中的最高两级", "population": "answers", "population_zh": "答卷", "audience": "bi", "definition_version": 1},
        ],
        "dim_period": [
            {"period_id": code, "period_type": "quarter", "period_start": start, "period_end": end, "previous_period_id": before}
            for code, start, end, before in (("2026-Q2", BEFORE["period_start"], START, None), (QUARTER, START, END, "2026-Q2"), ("2026-Q4", END, dt.date(2027, 1, 1), QUARTER))
        ],
    }  # fmt: skip


def quarter() -> dict[str, list[Row]]:
    """All rows of the small quarter."""
    return {
        "mart_review__member_quarter": results(),
        "mart_review__scorecard_line": lines(),
        "mart_review__input": inputs(),
        **others(),
    }


def multiply(path: Path, members: int, lines: int = 20) -> None:
    """Make the quarter one of so many members, with at least so many lines for each of them."""
    times = -(-members // len(PEOPLE))
    with duckdb.connect(str(path)) as con:
        for table in TABLES:
            columns = contract(table)
            if "member_id" not in columns:
                continue
            key = {
                "mart_review__input": "review_input_id",
                "mart_review__goal": "goal_id",
                "mart_review__appeal": "appeal_id",
                "mart_review__follow_up": "action_id",
            }.get(table)
            renamed = ["member_id || '-' || n as member_id", *([f"{key} || '-' || n as {key}"] if key else [])]
            con.execute(
                f"insert into {table} select {table}.* replace ({', '.join(renamed)}) from {table}, range(1, {times}) as r(n)"
            )
        more = -(-lines // 6)
        con.execute(
            f"insert into mart_review__scorecard_line select mart_review__scorecard_line.* replace (criterion_id || n as criterion_id) from mart_review__scorecard_line, range(1, {more}) as r(n)"
        )
