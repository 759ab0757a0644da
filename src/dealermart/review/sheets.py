"""What the sheets of the workbook hold: a mart each, its columns in their order, the total that ties to the mart."""

from __future__ import annotations

from dataclasses import dataclass

from dealermart.review.book import BAD, GOOD, MILD, PLAIN, Column

_WHO = (Column("member_id", width=11), Column("member_name", width=18))
_PLACE = (Column("role", "code", 10), Column("team", width=20))


@dataclass(frozen=True)
class Spec:
    """A sheet that shows the rows of one mart.

    Attributes:
        key: Of its name, title and note in ``labels``.
        order: How the mart's rows are ordered, as SQL.
        total: The column whose sum on the sheet is held against the mart's.
        per: The column that keeps what must not be added apart: a currency.
        marks: Colours of codes by column.
    """

    key: str
    mart: str
    order: str
    columns: tuple[Column, ...]
    total: str = ""
    marks: dict[str, dict[str, str]] | None = None
    per: str = ""


_STATES = {
    "not_rated": MILD, "refused": BAD, "hidden": PLAIN, "replaced": PLAIN, "overdue": BAD, "late": MILD,
    "missing": MILD, "decided_late": MILD, "done_late": MILD, "not_delivered": MILD, "ready": GOOD, "unknown": PLAIN,
    "lenient": MILD, "severe": MILD, "narrow": MILD, "met": GOOD, "not_met": MILD, "small_sample": PLAIN,
    "no_data": PLAIN, "not_given": PLAIN, "held": MILD, "granted": GOOD, "partly_granted": GOOD,
}  # fmt: skip

RESULTS = Spec(
    "results",
    "mart_review__member_quarter",
    "role, team, member_id",
    (
        *_WHO, *_PLACE, Column("grade", width=9), Column("region", width=11), Column("manager_name", width=16),
        Column("status", "code", 10), Column("final_score", "score", 10, colour="score"),
        Column("final_rating_name", width=20), Column("change_points", "score", 10), Column("previous_score", "score", 10),
        Column("rank_in_role", "whole", 9), Column("ranked_in_role", "whole", 7), Column("rank_in_team", "whole", 9),
        Column("ranked_in_team", "whole", 7), Column("kpi_score", "score"), Column("self_score", "score"),
        Column("manager_score", "score"), Column("peers_score", "score"), Column("dealers_score", "score"),
        Column("scored_weight_pct", "number", 10), Column("missing_parts", width=18), Column("missing_criteria", "long", 28),
        Column("reason", "long", 32), Column("total_score", "score", 11), Column("is_changed_on_appeal", "yes", 10),
        Column("appeal_count", "whole", 9), Column("is_newcomer", "yes", 10), Column("is_transferred", "yes", 10),
        Column("employed_days", "whole", 10), Column("hired_date", "date"), Column("left_date", "date"),
    ),
    "final_score",
    {"status": _STATES},
)  # fmt: skip

SCORECARDS = Spec(
    "scorecards",
    "mart_review__scorecard_line",
    "member_id, part_no, criterion_no, criterion_id",
    (
        *_WHO, *_PLACE, Column("part", "code", 9), Column("criterion_name", width=24), Column("source", "code", 9),
        Column("kpi_code", width=20), Column("value", "measure", unit="unit"), Column("target_value", "measure", unit="unit"),
        Column("unit", "code", 9), Column("currency_code", width=9), Column("score", "score", colour="score"),
        Column("final_score", "score"), Column("weight_pct", "number", 10), Column("part_weight_pct", "number", 10),
        Column("total_weight_pct", "number", 10), Column("sample_size", "whole"), Column("ci_low", "measure", unit="unit"),
        Column("ci_high", "measure", unit="unit"), Column("ci_method", "code", 10), Column("status", "code"),
        Column("reason", "long"), Column("evidence", "long"),
    ),
    "score",
    {"status": _STATES},
)  # fmt: skip

GOALS = Spec(
    "goals",
    "mart_review__goal",
    "member_id, depth, goal_id",
    (
        *_WHO, Column("goal_id"), Column("goal_title", "long"), Column("depth", "whole", 7),
        Column("status", "code", 10), Column("progress_pct", "number", colour="score"), Column("reason", "long"),
    ),
    "progress_pct",
)  # fmt: skip

INPUTS = Spec(
    "inputs",
    "mart_review__input",
    "member_id, part, criterion_id, review_input_id, version_no",
    (
        *_WHO, Column("part", "code", 10), Column("rater_name", width=16), Column("criterion_name", width=24),
        Column("version_no", "whole", 8), Column("score", "score"), Column("score_of_hundred", "score", colour="score"),
        Column("rater_count", "whole", 9), Column("submitted_date", "date"), Column("due_date", "date"),
        Column("status", "code", 12), Column("reason", "long"), Column("comment", "long", 60),
    ),
    "score_of_hundred",
    {"status": _STATES},
)  # fmt: skip

RATERS = Spec(
    "calibration",
    "mart_review__rater",
    "rater_type, rater_id",
    (
        Column("rater_type", "code", 10), Column("rater_name", width=26), Column("member_count", "whole", 9),
        Column("rating_count", "whole", 9), Column("mean_score", "score"), Column("others_mean_score", "score"),
        Column("leniency_points", "score", 10), Column("leniency_ci_low", "score"), Column("leniency_ci_high", "score"),
        Column("leniency_against_kpi_points", "score", 13), Column("spread_points", "score"), Column("spread_ratio", "score", 10),
        Column("is_own_team_only", "yes", 9), Column("status", "code", 13), Column("reason", "long", 60),
    ),
    "rating_count",
    {"status": _STATES},
)  # fmt: skip

PROPOSALS = Spec(
    "proposals",
    "mart_review__calibration_proposal",
    "proposal, team, member_id",
    (
        *_WHO, *_PLACE, Column("proposal", "code", 22), Column("rater_name", width=16), Column("current_score", "score"),
        Column("current_rating", width=14), Column("proposed_score", "score"), Column("proposed_rating", width=14),
        Column("reason", "long", 60),
    ),
    "current_score",
)  # fmt: skip

DISTRIBUTION = Spec(
    "distribution",
    "mart_review__distribution",
    "case scope_type when 'company' then 1 when 'role' then 2 else 3 end, scope_id, rating_no, rating",
    (
        Column("scope_type", "code", 10), Column("scope_id", "code", 16), Column("rating_name", width=24),
        Column("member_count", "whole", 9), Column("rated_count", "whole", 9), Column("share", "share", colour="bar"),
        Column("ci_low", "share"), Column("ci_high", "share"), Column("guideline_share", "share"),
        Column("difference_points", "score", 12), Column("is_outside", "yes", 9), Column("is_small", "yes", 9),
    ),
    "member_count",
    {"is_outside": {"True": MILD}},
)  # fmt: skip

NINE_BOX = Spec(
    "nine_box",
    "mart_review__nine_box",
    "status <> 'placed', box desc, member_id",
    (
        *_WHO, *_PLACE, Column("performance_score", "score", 11), Column("potential_score", "score", 10),
        Column("performance_band", "code", 11), Column("potential_band", "code", 11), Column("box", "whole", 9),
        Column("box_name", width=24), Column("status", "code", 10), Column("reason", "long"),
    ),
    "performance_score",
)  # fmt: skip

APPEALS = Spec(
    "appeals",
    "mart_review__appeal",
    "submitted_date, appeal_id",
    (
        Column("appeal_id", width=11), *_WHO, *_PLACE, Column("criterion_name", width=22), Column("reason", "long"),
        Column("submitted_date", "date"), Column("due_date", "date"), Column("status", "code"), Column("decided_date", "date"),
        Column("decided_by_name", width=16), Column("outcome", "code"), Column("score_before", "score"),
        Column("score_after", "score"), Column("is_applied", "yes", 9), Column("total_score", "score", 11),
        Column("final_score", "score"), Column("open_days", "whole"), Column("note", "long"),
    ),
    "open_days",
    {"status": _STATES, "outcome": _STATES},
)  # fmt: skip

FEEDBACK = Spec(
    "feedback",
    "mart_review__timeline",
    "team, member_id",
    (
        *_WHO, *_PLACE, Column("manager_name", width=16), Column("self_status", "code", 12), Column("manager_status", "code", 12),
        Column("delivery_status", "code", 12), Column("delivered_date", "date"), Column("delivered_by_name", width=16),
        Column("delivery_due_date", "date"), Column("delivery_days", "whole"), Column("acknowledgement_status", "code", 14),
        Column("acknowledged_date", "date"), Column("acknowledgement_due_date", "date"),
        Column("acknowledgement_days", "whole"), Column("comment", "long"),
    ),
    "delivery_days",
    dict.fromkeys(("self_status", "manager_status", "delivery_status", "acknowledgement_status"), _STATES),
)  # fmt: skip

OVERDUE = Spec(
    "overdue",
    "mart_review__manager_overdue",
    "overdue_count desc, manager_id",
    (
        Column("manager_name", width=18), Column("member_count", "whole"), Column("overdue_count", "whole", colour="bar"),
        Column("ratings_missing", "whole"), Column("deliveries_overdue", "whole", 11), Column("acknowledgements_overdue", "whole", 15),
        Column("appeals_overdue", "whole"), Column("improvements_overdue", "whole", 13), Column("talks_overdue", "whole"),
        Column("oldest_due_date", "date"), Column("oldest_overdue_days", "whole"),
    ),
    "overdue_count",
)  # fmt: skip

FOLLOW_UP = Spec(
    "follow_up",
    "mart_review__follow_up",
    "due_date, action_id",
    (
        Column("kind", "code"), *_WHO, Column("team"), Column("owner_name", width=16), Column("manager_name", width=16),
        Column("text", "long"), Column("agreed_date", "date"), Column("due_date", "date"), Column("done_date", "date"),
        Column("status", "code"), Column("outcome", "code"), Column("overdue_days", "whole"),
    ),
    "overdue_days",
    {"status": _STATES},
)  # fmt: skip

CAREER = Spec(
    "career",
    "mart_review__career",
    "role, team, member_id",
    (
        *_WHO, *_PLACE, Column("grade", width=9), Column("next_grade", width=9), Column("months_in_grade", "whole", 9),
        Column("status", "code", 12), Column("met_count", "whole", 11), Column("missing", "long"),
        Column("proposed_training", "long", 32), Column("recognition_count", "whole", 11), Column("last_award", width=22),
        Column("last_awarded_date", "date"), Column("plan_proposals", width=22), Column("promoted_date", "date"),
    ),
    "met_count",
    {"status": _STATES},
)  # fmt: skip

CONDITIONS = Spec(
    "conditions",
    "mart_review__career_condition",
    "member_id, condition_no",
    (
        *_WHO, Column("role", "code", 10), Column("kind", "code", 14), Column("condition_text", "long"),
        Column("required_value", "number"), Column("actual_value", "number"), Column("gap", "number"),
        Column("status", "code", 11), Column("proposed_course_name", width=30), Column("proposed_hours", "number"),
    ),
    "gap",
    {"status": _STATES},
)  # fmt: skip

TRAINING = Spec(
    "training",
    "mart_kpi__training_plan",
    "priority, team, member_id, topic",
    (
        *_WHO, *_PLACE, Column("grade", width=9), Column("topic", "code", 12), Column("priority", "whole", 9),
        Column("skill_level", "number", 10), Column("required_level", "number", 10), Column("gap_points", "number", 10),
        Column("proposed_course_name", width=30), Column("proposed_hours", "number"), Column("due_date", "date"),
        Column("reason", "long", 60),
    ),
    "gap_points",
)  # fmt: skip

RECOGNITION = Spec(
    "recognition",
    "fct_recognition",
    "awarded_date, recognition_id",
    (
        *_WHO,
        Column("award", width=26),
        Column("awarded_date", "date"),
        Column("given_by_name", width=16),
        Column("reason", "long"),
    ),
)

PAY = Spec(
    "pay",
    "mart_incentive__statement",
    "payee_id, period_start, plan_id, plan_version, currency_code",
    (
        *_WHO, *_PLACE, Column("plan_id", width=22), Column("plan_version", "whole", 9), Column("period_id", width=11),
        Column("currency_code", width=9), Column("amount", "money"), Column("status", "code", 10),
        Column("held_line_count", "whole", 11), Column("reason", "long"), Column("base_pay_amount", "money"), Column("base_currency_code", width=10),
    ),
    "amount",
    {"status": _STATES},
    per="currency_code",
)  # fmt: skip

FAIRNESS = Spec(
    "fairness",
    "mart_review__fairness",
    "measure, dimension, currency_code, group_id",
    (
        Column("measure", "code", 18), Column("statistic", "code", 13), Column("dimension", "code", 10),
        Column("group_id", "code", 22), Column("member_count", "whole", 9), Column("selected_count", "whole", 9),
        Column("value", "measure", unit="unit"), Column("unit", "code", 9), Column("currency_code", width=9),
        Column("ci_low", "measure", unit="unit"), Column("ci_high", "measure", unit="unit"), Column("ci_method", "code", 15),
        Column("reference_group_id", "code", 22), Column("ratio", "score"), Column("is_below_four_fifths", "yes", 10),
        Column("is_suppressed", "yes", 10), Column("reason", "long"),
    ),
    "member_count",
    {"is_below_four_fifths": {"True": BAD}, "is_suppressed": {"True": PLAIN}},
)  # fmt: skip

SPECS = (
    RESULTS, SCORECARDS, GOALS, INPUTS, RATERS, PROPOSALS, DISTRIBUTION, NINE_BOX, APPEALS, FEEDBACK, OVERDUE,
    FOLLOW_UP, CAREER, CONDITIONS, TRAINING, RECOGNITION, PAY, FAIRNESS,
)  # fmt: skip
