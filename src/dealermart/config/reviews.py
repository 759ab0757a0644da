"""Review templates (``config/reviews/*.yml``): what counts for a role, with what weight, scored how."""

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

# A weight of 0 is shown in the review and does not count.
Weight = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]

Value = Annotated[Decimal, Field(max_digits=18, decimal_places=6)]

PARTS = ("kpi", "self", "manager", "peers", "dealers")

# Second axis of the nine-box: asked of managers beside the criteria of a template, and no part of the score.
POTENTIAL = "potential"

WHOLE = Decimal(100)

SIGNS = {"higher": 1, "lower": -1, "none": 0}


class Point(Strict):
    """A KPI value and the score it gets; between two points the score lies on the straight line."""

    value: Value
    score: Score


class Band(Strict):
    """The score of all values from ``lower`` (inclusive) to the next band; the first band has no lower end."""

    lower: Value | None = Field(alias="from", default=None)
    score: Score


class Criterion(Strict):
    """What is measured: a KPI of the member, the team or the region, or how far the member's goals have come."""

    id: Name
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]
    kpi: Name | None = None
    goals: bool = False
    subject: Literal["member", "team", "region"] = "member"
    weight_pct: Weight
    min_sample: Annotated[int, Field(ge=1)] = 1
    points: Annotated[tuple[Point, ...], Field(min_length=2)] | None = None
    bands: Annotated[tuple[Band, ...], Field(min_length=2)] | None = None

    @property
    def curve(self) -> list[tuple[Decimal | None, Decimal]]:
        """Value and score of each point or band, in order; the first band has no value."""
        if self.points:
            return [(point.value, point.score) for point in self.points]
        return [(band.lower, band.score) for band in self.bands or ()]


class Part(Strict):
    """Whose word it is: what was measured (``kpi``), or a kind of rater. Below ``min_raters`` raters a part of people
    is neither shown nor scored; without it one is enough, of peers and dealers the company's smallest group."""

    part: Literal["kpi", "self", "manager", "peers", "dealers"]
    weight_pct: Weight
    min_raters: Annotated[int, Field(ge=1)] | None = None


class Rated(Strict):
    """A criterion that people rate. ``by`` names the parts that are asked; without it all that the template has."""

    id: Name
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]
    weight_pct: Weight
    by: Annotated[tuple[Literal["self", "manager", "peers", "dealers"], ...], Field(min_length=1)] | None = None


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
    parts: Annotated[tuple[Part, ...], Field(min_length=1)] = (Part(part="kpi", weight_pct=WHOLE),)
    criteria: tuple[Criterion, ...] = ()
    rated: tuple[Rated, ...] = ()
    ratings: Annotated[tuple[Rating, ...], Field(min_length=1)]

    def faults(self, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        """What no single field shows, in view of the registry of KPIs."""
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            yield Fault(
                ("valid_to",),
                f"the template ends ({self.valid_to}) before it begins ({self.valid_from})",
                "valid_to is the first day on which the template no longer holds; leave it empty while it is open",
            )
        yield from self._part_faults()
        yield from self._criteria_faults(kpis)
        yield from self._rated_faults()
        yield from self._rating_faults()

    def asked(self, rated: Rated) -> tuple[str, ...]:
        """The parts that rate a criterion, in the order of the parts."""
        return tuple(part.part for part in self.parts if part.part != "kpi" and part.part in (rated.by or PARTS))

    def _part_faults(self) -> Iterator[Fault]:
        yield from repeated((part.part for part in self.parts), ("parts",), "part", "part")
        yield from _not_whole(("parts",), [part.weight_pct for part in self.parts])
        for index, part in enumerate(self.parts):
            at = ("parts", index)
            if part.part == "kpi":
                if part.min_raters is not None:
                    yield Fault((*at, "min_raters"), "KPIs have no raters", "remove it; a criterion has min_sample")
                weights = [criterion.weight_pct for criterion in self.criteria]
            else:
                weights = [rated.weight_pct for rated in self.rated if part.part in self.asked(rated)]
            if not any(weights):
                what = "criteria" if part.part == "kpi" else "rated"
                yield Fault(
                    at,
                    f"no criterion with a weight belongs to the part {part.part}",
                    f"add one under {what}, or remove the part",
                )

    def _criteria_faults(self, kpis: dict[str, Kpi]) -> Iterator[Fault]:
        ids = [criterion.id for criterion in self.criteria]
        yield from repeated(ids, ("criteria",), "id", "criterion id")
        if self.criteria:
            yield from _not_whole(("criteria",), [criterion.weight_pct for criterion in self.criteria])
            if all(part.part != "kpi" for part in self.parts):
                mend = "add the part kpi, or remove the criteria"
                yield Fault(("criteria",), "the template measures criteria and has no part for them", mend)
        for index, criterion in enumerate(self.criteria):
            at = ("criteria", index)
            if (criterion.kpi is None) is not criterion.goals:
                yield Fault(at, "a criterion measures a KPI or goals, one of them", "write either kpi or goals: true")
                continue
            kpi = None
            if criterion.kpi is None:
                if criterion.subject != "member":
                    yield Fault((*at, "subject"), "goals are the member's own", "remove the line")
            elif (kpi := kpis.get(criterion.kpi)) is None:
                known = ", ".join(sorted(kpis))
                yield Fault((*at, "kpi"), f"{criterion.kpi!r} is no KPI", f"use a code of kpis.yml: {known}")
            elif criterion.subject not in kpi.subjects:
                yield Fault(
                    (*at, "subject"),
                    f"{criterion.kpi} is not stated of a {criterion.subject}",
                    f"name one of {', '.join(kpi.subjects)} that a review may look at, or another KPI",
                )
            yield from _curve_faults(at, criterion, kpi)

    def _rated_faults(self) -> Iterator[Fault]:
        if not self.rated:
            return
        yield from repeated((rated.id for rated in self.rated), ("rated",), "id", "criterion id")
        yield from _not_whole(("rated",), [rated.weight_pct for rated in self.rated])
        have = {part.part for part in self.parts}
        for index, rated in enumerate(self.rated):
            at = ("rated", index)
            if rated.id == POTENTIAL:
                what = "potential is the second axis of the nine-box and asked of every manager"
                yield Fault((*at, "id"), what, "remove the criterion, or give it another id")
            if lost := [name for name in rated.by or () if name not in have]:
                yield Fault((*at, "by"), f"the template has no part {lost[0]}", "add the part, or correct the name")
            elif not self.asked(rated):
                yield Fault(at, "nobody is asked for it", "add a part of people")

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


def _not_whole(at: tuple[str | int, ...], weights: list[Decimal]) -> Iterator[Fault]:
    total = sum(weights, Decimal(0))
    if total != WHOLE:
        yield Fault(at, f"the weights sum to {total}, not to 100", "change weight_pct until they sum to exactly 100")


def _curve_faults(at: tuple[str | int, ...], criterion: Criterion, kpi: Kpi | None) -> Iterator[Fault]:
    """Values ascend, and the score follows the direction of what is measured; for goals more is better."""
    if (criterion.points is None) == (criterion.bands is None):
        yield Fault(at, "a criterion is scored by points or by bands, one of them", "write either points or bands")
        return
    field = "points" if criterion.points else "bands"
    direction = kpi.direction if kpi else "higher"
    first, *_ = curve = criterion.curve
    if criterion.bands and first[0] is not None:
        mend = "remove from of the first band: it holds for all values below the second"
        yield Fault((*at, field, 0), f"values below {first[0]} get no score", mend)
        return
    for number, (left, right) in enumerate(pairwise(curve), start=1):
        here = (*at, field, number)
        if right[0] is None:
            yield Fault(here, "the band has no from", "write the value from which it holds")
            return
        if left[0] is not None and right[0] <= left[0]:
            yield Fault(
                here,
                f"the value {right[0]} is not above the one before it, {left[0]}",
                f"give the {field} by ascending value",
            )
        elif (criterion.goals or kpi is not None) and (right[1] - left[1]) * SIGNS[direction] < 0:
            what = criterion.kpi or "goals"
            yield Fault(
                here,
                f"the score moves against {what}, for which {direction} is better",
                "correct the score, or the direction of the KPI in kpis.yml",
            )
