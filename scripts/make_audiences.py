"""Fill in who may see a column of a mart and what it says of persons, where that follows from its name.

What a yml says already stays. A model says itself for whom it is (``config.meta.audience``); its columns get that
audience, but for what is known to be for HR, and provenance, which is for analysts. Read what was filled in before you
commit it: a rule knows names, not meanings.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
MARTS = ROOT / "dbt_project" / "models" / "marts"

# Ids of members, whatever the model.
PERSONS = {
    "member_id", "manager_id", "seller_id", "helper_id", "assignee_id", "approver_id", "approved_by_id", "owner_id",
    "given_by_id", "organiser_id", "respondent_id", "decided_by_id", "delivered_by_id", "requested_by_id",
    "assessor_id", "sender_id", "owner_user_id", "user_id", "proposed_by_id", "about_id", "attendee_id", "audience_id",
    "rater_id", "subject_id", "payee_id",
}  # fmt: skip
# Names of members, and the column of the id.
NAMES = {"member_name": "member_id", "subject_name": "subject_id", "payee_name": "payee_id"}
# What BI never sees.
SENSITIVE = {
    "base_pay_amount", "gender", "birth_year", "target_pay_amount", "level", "level_of_hundred", "rating",
    "rating_name",
    "rating_name_zh", "rating_of_five", "total_score", "score_before", "score_after", "value_amount",
    "value_amount_reporting", "disputed_amount", "comment", "skill_level",
}  # fmt: skip
# What tells something of a person.
INDIRECT = {
    "role", "grade", "from_grade", "to_grade", "from_role", "to_role", "employment_pct", "hired_date", "left_date",
    "text", "subject", "reason", "reason_zh", "phone", "status_reason",
}  # fmt: skip


def rule(model: str, audience: list[str], column: str, kind: str, columns: set[str]) -> dict[str, Any]:
    """Audience and pii of a column, as a rule sees them.

    Args:
        audience: That of the model.
        kind: Data type.
        columns: All columns of the model.
    """
    is_for_hr = "bi" not in audience
    if column.startswith("_"):
        return {"audience": [name for name in audience if name in ("bi", "hr")], "pii": "none"}
    if column in PERSONS:
        by = column.removesuffix("_id") + "_type"
        more = {"person_type": by} if by in columns else {}
        return {"audience": audience, "pii": "direct", "person": "self", **more}
    if column in NAMES:
        of = NAMES[column] if NAMES[column] in columns else next(iter(sorted(columns & PERSONS)), None)
        if of is None:  # the name of something else, a dealer or a region
            return {"audience": audience, "pii": "none"}
        by = of.removesuffix("_id") + "_type"
        return {"audience": audience, "pii": "direct", "person": of, **({"person_type": by} if by in columns else {})}
    measured = is_for_hr and kind.startswith("decimal")
    if column in SENSITIVE or measured:
        return {"audience": [name for name in audience if name != "bi"], "pii": "sensitive"}
    if column in INDIRECT and columns & PERSONS:
        return {"audience": audience, "pii": "indirect"}
    return {"audience": audience, "pii": "none"}


def as_line(meta: dict[str, Any]) -> str:
    """The meta as the yml writes it."""
    texts = [f"{key}: {'[' + ', '.join(v) + ']' if isinstance(v, list) else v}" for key, v in meta.items()]
    return "        config: {meta: {" + ", ".join(texts) + "}}\n"


def filled(text: str) -> str:
    """The text of a yml with what was left out."""
    for model in yaml.safe_load(text).get("models") or ():
        audience = ((model.get("config") or {}).get("meta") or {}).get("audience")
        if not audience:
            continue
        columns = {column["name"] for column in model["columns"]}
        start = re.search(rf"^  - name: {model['name']}$", text, re.MULTILINE)
        assert start, model["name"]
        for column in model["columns"]:
            said = {**(column.get("meta") or {}), **((column.get("config") or {}).get("meta") or {})}
            if "audience" in said and "pii" in said:
                continue
            found = re.compile(rf"^      - name: {re.escape(column['name'])}\n        data_type: .*\n", re.MULTILINE)
            at = found.search(text, start.end())
            assert at, f"{model['name']}.{column['name']}: data_type is to follow the name"
            meta = rule(model["name"], audience, column["name"], column["data_type"], columns) | said
            text = text[: at.end()] + as_line(meta) + text[at.end() :]
    return text


def main() -> int:
    """Write the files that lack something."""
    for path in sorted(MARTS.rglob("*.yml")):
        text = path.read_text("utf-8")
        if (new := filled(text)) != text:
            path.write_text(new, "utf-8")
            print(f"{path.relative_to(ROOT)}: filled in; read it before you commit it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
