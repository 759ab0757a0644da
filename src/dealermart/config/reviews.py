"""Review templates (``config/reviews/*.yml``): which KPIs count for a role, with what weight, scored how."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from dealermart.config.contracts import Name
from dealermart.config.kpis import Kpi
from dealermart.config.yamlfile import Fault, Strict, repeated

Score = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]

Percent = Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)]

WHOLE = Decimal(100)

SIGNS = {"higher": 1, "lower": -1, "none": 0}


class Point(Strict):
    """A KPI value and the score it gets; between two points the score lies on the straight line."""

    value: Annotated[Decimal, Field(max_digits=18, decimal_places=6)]
    score: Score


class Criterion(Strict):
    """One KPI of the review: the member's own, or that of the team the member belongs to."""

    id: Name
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]
    kpi: Name
    subject: Literal["member", "team"] = "member"
    weight_pct: Percent
    points: Annotated[tuple[Point, ...], Field(min_length=2)]


class Rating(Strict):
    """A rating and its total scores: from ``lower`` (inclusive) to ``upper`` (exclusive; 100 belongs to the top)."""

    rating: Name
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]
    lower: Score = Field(alias="from")
    upper: Score = Field(alias="to")


class Template(Strict):
    """The review of one role. ``valid_to`` is exclusive; empty: open."""

    template: Name
    version: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]
    role: Literal["sales", "service", "support", "manager", "overlay"]
    valid_from: date
    valid_to: date | None = None
    min_scored_weight_pct: Percent
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    ratings: Annotated[tuple[Rating, ...], Field(min_length=1)]

    def faults(self, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        """What no single field shows, in view of the registry of KPIs."""
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            yield Fault(
                ("valid_to",),
                f"the template ends ({self.valid_to}) before it begins ({self.valid_from})",
                "valid_to is the first day on which the template no longer holds; leave it empty while it is open",
            )
        yield from self._criteria_faults(kpis)
        yield from self._rating_faults()

    def _criteria_faults(self, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        yield from repeated((criterion.id for criterion in self.criteria), ("criteria",), "id", "criterion id")
        total = sum((criterion.weight_pct for criterion in self.criteria), Decimal(0))
        if total != WHOLE:
            yield Fault(
                ("criteria",),
                f"the weights sum to {total}, not to 100",
                "change weight_pct until they sum to exactly 100",
            )
        for index, criterion in enumerate(self.criteria):
            at = ("criteria", index)
            kpi = kpis.get(criterion.kpi)
            if kpi is None:
                known = ", ".join(sorted(kpis))
                yield Fault((*at, "kpi"), f"{criterion.kpi!r} is no KPI", f"use a code of kpis.yml: {known}")
            for number, (left, right) in enumerate(pairwise(criterion.points), start=1):
                here = (*at, "points", number)
                if right.value <= left.value:
                    yield Fault(
                        here,
                        f"the value {right.value} is not above the one before it, {left.value}",
                        "give the points by ascending value",
                    )
                elif kpi is not None and (right.score - left.score) * SIGNS[kpi.direction] < 0:
                    yield Fault(
                        here,
                        f"the score moves against {criterion.kpi}, for which {kpi.direction} is better",
                        "correct the score, or the direction of the KPI in kpis.yml",
                    )

    def _rating_faults(self) -> Iterator[Fault]:
        yield from repeated((rating.rating for rating in self.ratings), ("ratings",), "rating", "rating")
        reached = Decimal(0)
        empty = [index for index, band in enumerate(self.ratings) if band.lower >= band.upper]
        for index in empty:
            what = f"the band from {self.ratings[index].lower} to {self.ratings[index].upper} is empty"
            yield Fault(("ratings", index), what, "make its end larger than its start")
        if empty:
            return  # what else is wrong depends on where it was meant to lie
        order = sorted(range(len(self.ratings)), key=lambda index: self.ratings[index].lower)
        for index in order:
            band, here = self.ratings[index], ("ratings", index)
            if band.lower > reached:
                yield Fault(here, f"scores from {reached} to {band.lower} get no rating", f"write from: {reached}")
            elif band.lower < reached:
                yield Fault(
                    here,
                    f"scores from {band.lower} to {min(reached, band.upper)} get two ratings",
                    f"write from: {reached}",
                )
            reached = max(reached, band.upper)
        if reached < WHOLE:
            yield Fault(("ratings", order[-1]), f"scores from {reached} to 100 get no rating", "write to: 100")
