"""Tables of review templates, of the rules of reviews and of the career ladder."""

from __future__ import annotations

from dealermart.config import PARTS, WHOLE, CareerLadder, Config, ReviewRules, Template
from dealermart.warehouse.canonical import model_hash
from dealermart.warehouse.plan_tables import Rows

SCHEMAS: dict[str, dict[str, str]] = {
    "review_template": {
        "template_id": "varchar",
        "template_version": "integer",
        "template_hash": "varchar",
        "template_file": "varchar",
        "template_name": "varchar",
        "template_name_zh": "varchar",
        "role": "varchar",
        "min_scored_weight_pct": "decimal(9,4)",
        "valid_from": "date",
        "valid_to": "date",
    },
    "review_part": {
        "template_id": "varchar",
        "part": "varchar",
        "part_no": "integer",
        "part_weight_pct": "decimal(9,4)",
        "min_raters": "integer",
    },
    "review_criterion": {
        "template_id": "varchar",
        "part": "varchar",
        "criterion_id": "varchar",
        "criterion_no": "integer",
        "criterion_name": "varchar",
        "criterion_name_zh": "varchar",
        "source": "varchar",
        "kpi_code": "varchar",
        "subject_type": "varchar",
        "weight_pct": "decimal(9,4)",
        "total_weight_pct": "decimal(9,4)",
        "min_sample": "integer",
        "curve": "varchar",
    },
    "review_point": {
        "template_id": "varchar",
        "criterion_id": "varchar",
        "point_no": "integer",
        "kpi_value": "decimal(18,6)",
        "score": "decimal(9,4)",
        "curve": "varchar",
    },
    "rating_band": {
        "template_id": "varchar",
        "rating": "varchar",
        "rating_no": "integer",
        "rating_name": "varchar",
        "rating_name_zh": "varchar",
        "lower_score": "decimal(9,4)",
        "upper_score": "decimal(9,4)",
    },
    "review_rule": {
        "inputs_due_days": "integer",
        "acknowledgement_days": "integer",
        "min_members": "integer",
        "leniency_points": "decimal(9,4)",
        "narrow_ratio": "decimal(9,4)",
        "parts_apart_points": "decimal(9,4)",
        "near_edge_points": "decimal(9,4)",
        "performance_middle_from": "decimal(9,4)",
        "performance_high_from": "decimal(9,4)",
        "potential_middle_from": "decimal(9,4)",
        "potential_high_from": "decimal(9,4)",
    },
    "rating_guideline": {
        "rating": "varchar",
        "guideline_share": "decimal(18,8)",
    },
    "top_rating": {
        "rating": "varchar",
    },
    "nine_box": {
        "box": "integer",
        "box_name": "varchar",
        "box_name_zh": "varchar",
    },
    "career_grade": {
        "role": "varchar",
        "grade": "varchar",
        "grade_no": "integer",
        "grade_name": "varchar",
        "grade_name_zh": "varchar",
        "next_grade": "varchar",
    },
    "career_condition": {
        "role": "varchar",
        "grade": "varchar",
        "condition_no": "integer",
        "kind": "varchar",
        "rating": "varchar",
        "topic": "varchar",
        "last_quarter_count": "integer",
        "required_value": "decimal(18,8)",
    },
}


def review_rows(config: Config) -> dict[str, Rows]:
    """Rows of every table of ``SCHEMAS``."""
    tables: dict[str, Rows] = {name: [] for name in SCHEMAS}
    for file, template in config.templates:
        _add_template(tables, file, template, config.company.min_group_size)
    _add_rules(tables, config.review_rules)
    _add_ladder(tables, config.career)
    return tables


def _add_template(tables: dict[str, Rows], file: str, template: Template, min_group_size: int) -> None:
    key = template.template
    tables["review_template"].append(
        (
            key,
            template.version,
            model_hash(template),
            file,
            template.name,
            template.name_zh,
            template.role,
            template.min_scored_weight_pct,
            template.valid_from,
            template.valid_to,
        )
    )
    for part in template.parts:
        fewest = part.min_raters or (min_group_size if part.part in ("peers", "dealers") else 1)
        tables["review_part"].append((key, part.part, PARTS.index(part.part) + 1, part.weight_pct, fewest))
        if part.part == "kpi":
            for number, criterion in enumerate(template.criteria, start=1):
                named = (criterion.id, number, criterion.name, criterion.name_zh)
                measured = ("goals" if criterion.goals else "kpi", criterion.kpi, criterion.subject)
                weights = (criterion.weight_pct, part.weight_pct * criterion.weight_pct / WHOLE)
                curve = "points" if criterion.points else "bands"
                tables["review_criterion"].append(
                    (key, part.part, *named, *measured, *weights, criterion.min_sample, curve)
                )
            continue
        asked = [rated for rated in template.rated if part.part in template.asked(rated)]
        whole = sum(rated.weight_pct for rated in asked)
        for number, rated in enumerate(asked, start=1):
            named = (rated.id, number, rated.name, rated.name_zh)
            weights = (rated.weight_pct, part.weight_pct * rated.weight_pct / whole)
            tables["review_criterion"].append(
                (key, part.part, *named, "rating", None, "member", *weights, fewest, None)
            )
    for criterion in template.criteria:
        curve = "points" if criterion.points else "bands"
        tables["review_point"] += [
            (key, criterion.id, number, value, score, curve)
            for number, (value, score) in enumerate(criterion.curve, start=1)
        ]
    for number, band in enumerate(sorted(template.ratings, key=lambda rating: -rating.lower), start=1):
        upper = None if band.upper == WHOLE else band.upper
        tables["rating_band"].append((key, band.rating, number, band.name, band.name_zh, band.lower, upper))


def _add_rules(tables: dict[str, Rows], rules: ReviewRules) -> None:
    said, boxes = rules.calibration, rules.nine_box
    tables["review_rule"].append(
        (
            rules.inputs_due_days,
            rules.acknowledgement_days,
            said.min_members,
            said.leniency_points,
            said.narrow_ratio,
            said.parts_apart_points,
            said.near_edge_points,
            boxes.performance.middle_from,
            boxes.performance.high_from,
            boxes.potential.middle_from,
            boxes.potential.high_from,
        )
    )
    tables["rating_guideline"] = [(rating, share / WHOLE) for rating, share in rules.guideline_pct.items()]
    tables["top_rating"] = [(rating,) for rating in rules.top_ratings]
    tables["nine_box"] = [(box.box, box.name, box.name_zh) for box in boxes.boxes]


def _add_ladder(tables: dict[str, Rows], career: CareerLadder) -> None:
    for ladder in career.ladders:
        above = [grade.grade for grade in ladder.grades[1:]] + [None]
        for number, (grade, following) in enumerate(zip(ladder.grades, above, strict=True), start=1):
            tables["career_grade"].append((ladder.role, grade.grade, number, grade.name, grade.name_zh, following))
            for place, asked in enumerate(grade.conditions, start=1):
                wanted = {
                    "rating": asked.quarters,
                    "months_in_grade": asked.months,
                    "skill": asked.level,
                    "training": asked.courses,
                }[asked.kind]
                last = (asked.of_last or asked.quarters) if asked.kind == "rating" else None
                tables["career_condition"].append(
                    (ladder.role, grade.grade, place, asked.kind, asked.rating, asked.topic, last, wanted)
                )
