"""What the reviews of sellers must be: reckoned from the planted KPIs, what was said, goals and granted appeals.

The rules are those of config/reviews/sales.yml and config/career_ladder.yml, written down once more and worked in
fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from sample_company.company import Member
from sample_company.feeds import Feeds
from sample_company.figures import Planted

QUARTERS = {
    "2026-Q1": (date(2026, 1, 1), date(2026, 4, 1)),
    "2026-Q2": (date(2026, 4, 1), date(2026, 7, 1)),
    "2026-Q3": (date(2026, 7, 1), date(2026, 10, 1)),
}
PARTS = {"kpi": 65, "self": 5, "manager": 20, "peers": 5, "dealers": 5}
FEWEST = {"self": 1, "manager": 1, "peers": 3, "dealers": 3}
# criterion: KPI, weight, fewest cases, points
CRITERIA: dict[str, tuple[str, int, tuple[tuple[str, int], ...]]] = {
    "attainment": ("attainment_pct", 40, (("0.5", 0), ("0.8", 60), ("1", 85), ("1.2", 100))),
    "market_share": ("market_share_pct", 10, (("0", 0), ("0.1", 50), ("0.2", 80), ("0.35", 100))),
    "margin": ("gross_margin_pct", 10, (("0", 0), ("0.2", 60), ("0.35", 100))),
    "satisfaction": ("csat_pct", 15, (("0.4", 0), ("0.7", 60), ("0.95", 100))),
    "training": ("training_completion_pct", 15, (("0.5", 0), ("0.8", 60), ("1", 100))),
    "goals": ("", 10, (("0", 0), ("1", 100))),
}
RATED = ("teamwork", "initiative")
BANDS = ((90, "outstanding"), (80, "exceeds"), (65, "meets"), (50, "partly_meets"), (0, "below"))
LEAST = 40
LEAST_ANSWERS = 5
# grade: months in it that the next one asks for, and the level of the weakest skill of a topic
LADDER = {
    "G3": (12, {"E-bike technology": 50}),
    "G4": (18, {"Negotiation": 50}),
    "G5": (24, {"Negotiation": 75, "Market knowledge": 50}),
}


def rounded(value: Fraction, digits: int) -> Fraction:
    """Half up."""
    unit = 10**digits
    return Fraction((2 * value * unit + 1) // 2, unit)


def on_curve(value: Fraction, points: tuple[tuple[str, int], ...]) -> Fraction:
    """The score of a value, to four decimals."""
    told = [(Fraction(at), Fraction(score)) for at, score in points]
    if value <= told[0][0]:
        return told[0][1]
    for (low, before), (high, after) in pairwise(told):
        if value < high:
            return before + rounded((value - low) * (after - before) / (high - low), 4)
    return told[-1][1]


def mean(pairs: Iterable[tuple[Fraction | int, Fraction]], digits: int) -> Fraction | None:
    """Mean of weight and value."""
    told = [(Fraction(weight), value) for weight, value in pairs if weight]
    whole = sum((weight for weight, _ in told), Fraction(0))
    return rounded(sum((weight * value for weight, value in told), Fraction(0)) / whole, digits) if whole else None


class Reviews:
    """The reviews of all sellers in the quarters that are looked at."""

    def __init__(self, feeds: Feeds, kpis: Iterable[Planted], answers: dict[str, dict[str, Any]]) -> None:
        self._feeds = feeds
        self._answers = answers
        self._values = {(row.kpi, row.period, row.subject_type, row.subject): row.value for row in kpis}
        for (quarter, member), margin in feeds.figures.margin_pct_by_member().items():
            self._values["gross_margin_pct", quarter, "member", member] = margin

    def due(self, quarter: str) -> list[Member]:
        """Sellers employed for a day or more, by their row of the last day."""
        first, end = QUARTERS[quarter]
        return [
            member
            for member in self._feeds.members.values()
            if member.role == "sales" and member.hired < end and (member.left is None or member.left > first)
        ]

    def kpi_lines(self, member: Member, quarter: str) -> dict[str, Fraction]:
        """Scores of what was measured."""
        found = {}
        for criterion, (code, _, points) in CRITERIA.items():
            if criterion == "goals":
                steps = self._feeds.goals.get((member.member_id, quarter))
                if steps:
                    found[criterion] = on_curve(Fraction(sum(steps)) / len(steps) / 100, points)
                continue
            subject = ("region", member.region) if criterion == "market_share" else ("member", member.member_id)
            value = self._values.get((code, quarter, *subject))
            told = self._answers.get(quarter, {}).get(member.member_id, {}).get("answered", 0)
            if value is None or (criterion == "satisfaction" and told < LEAST_ANSWERS):
                continue
            found[criterion] = on_curve(rounded(Fraction(value), 8), points)
        return found

    def said(self, member: Member, quarter: str, part: str) -> dict[str, Fraction]:
        """Scores of what people said, where enough of them did."""
        found = {}
        for criterion in RATED:
            scores = [
                Fraction(25 * (rating.score - 1))
                for rating in self._feeds.said
                if (rating.member, rating.quarter, rating.part, rating.criterion)
                == (member.member_id, quarter, part, criterion)
                and rating.score is not None
            ]
            if len(scores) >= FEWEST[part]:
                found[criterion] = rounded(rounded(sum(scores, Fraction(0)) / len(scores), 8), 4)
        return found

    def result(self, member: Member, quarter: str) -> dict[str, Any]:
        """Part scores, total before and after appeals, rating, and what is missing."""
        lines = {"kpi": self.kpi_lines(member, quarter)}
        lines |= {part: self.said(member, quarter, part) for part in PARTS if part != "kpi"}
        weights = {"kpi": {name: weight for name, (_, weight, _) in CRITERIA.items()}}
        weights |= {part: dict.fromkeys(RATED, 50) for part in PARTS if part != "kpi"}
        scores, finals, scored = {}, {}, Fraction(0)
        for part, whole in PARTS.items():
            scores[part] = mean([(weights[part][name], score) for name, score in lines[part].items()], 4)
            decided = {
                name: Fraction(self._feeds.granted.get((member.member_id, quarter, name), score))
                if part != "self"
                else score
                for name, score in lines[part].items()
            }
            finals[part] = mean([(weights[part][name], score) for name, score in decided.items()], 4)
            scored += rounded(Fraction(whole * sum(weights[part][name] for name in lines[part]), 100), 4)
        total = final = None
        if scored >= LEAST:
            total = mean([(PARTS[part], score) for part, score in scores.items() if score is not None], 2)
            final = mean([(PARTS[part], score) for part, score in finals.items() if score is not None], 2)
        return {
            **{f"{part}_score": score for part, score in scores.items()},
            "scored_weight_pct": scored,
            "total_score": total,
            "final_score": final,
            "final_rating": None if final is None else next(name for low, name in BANDS if final >= low),
            "missing_parts": ", ".join(part for part, score in scores.items() if score is None) or None,
        }

    def truth(self) -> dict[str, Any]:
        """Planted people, and by quarter and seller the result with the place in the role."""
        results: dict[str, dict[str, Any]] = {}
        for quarter in QUARTERS:
            told = {member.member_id: self.result(member, quarter) for member in self.due(quarter)}
            finals = [result["final_score"] for result in told.values() if result["final_score"] is not None]
            for result in told.values():
                own = result["final_score"]
                result["rank_in_role"] = None if own is None else 1 + sum(other > own for other in finals)
            results[quarter] = {
                member: {name: _text(value) for name, value in result.items()}
                for member, result in sorted(told.items())
            }
        return {"people": self._feeds.cast._asdict(), "results": results}

    def not_ready(self) -> Iterator[Planted]:
        """Sellers who lack time in the grade or a skill, and so are not ready whatever else there is."""
        for quarter, (_, end) in QUARTERS.items():
            for member in self.due(quarter):
                if member.grade not in LADDER:
                    continue
                months, wanted = LADDER[member.grade]
                value = self._values.get(("months_in_grade", quarter, "member", member.member_id))
                levels = {skill: self._level(member.member_id, skill, end) for skill in wanted}
                lacks = any(level is not None and level < wanted[skill] for skill, level in levels.items())
                if lacks or (value is not None and value < months):
                    yield Planted("ready_for_next_grade_pct", quarter, "member", member.member_id, Decimal(0))

    def _level(self, member: str, skill: str, end: date) -> int | None:
        told = [
            (assessed.day, 25 * (assessed.level - 1))
            for assessed in self._feeds.skills
            if (assessed.member_id, assessed.skill) == (member, skill) and assessed.day <= end - timedelta(days=1)
        ]
        return max(told)[1] if told else None


def _text(value: Any) -> Any:
    """A fraction as the decimal that it is."""
    return f"{Decimal(value.numerator) / value.denominator:.4f}" if isinstance(value, Fraction) else value
