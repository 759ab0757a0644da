"""Rules of reviews that hold for all templates (``config/review_rules.yml``): deadlines, calibration, nine-box."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from dealermart.config.contracts import Name
from dealermart.config.reviews import WHOLE, Score
from dealermart.config.yamlfile import Fault, Strict, repeated

Points = Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]

LEVELS = ("low", "middle", "high")


class Axis(Strict):
    """From which score an axis of the nine-box is in its middle and its high third."""

    middle_from: Score
    high_from: Score


class Box(Strict):
    """One box: ``box`` is 3 x (potential - 1) + performance, each 1 (low) to 3 (high)."""

    box: Annotated[int, Field(ge=1, le=9)]
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]


BOXES = (
    Box(box=1, name="Under review", name_zh="待改进"),
    Box(box=2, name="Effective", name_zh="合格"),
    Box(box=3, name="Trusted professional", name_zh="资深骨干"),
    Box(box=4, name="Inconsistent", name_zh="表现不稳"),
    Box(box=5, name="Core player", name_zh="中坚力量"),
    Box(box=6, name="High performer", name_zh="绩效之星"),
    Box(box=7, name="Rough diamond", name_zh="潜力待发"),
    Box(box=8, name="Growing", name_zh="成长之星"),
    Box(box=9, name="Star", name_zh="明星人才"),
)


class NineBox(Strict):
    """Both axes and the names of the boxes."""

    performance: Axis = Axis(middle_from=Decimal(65), high_from=Decimal(80))
    potential: Axis = Axis(middle_from=Decimal(50), high_from=Decimal(75))
    boxes: Annotated[tuple[Box, ...], Field(min_length=9, max_length=9)] = BOXES


class Calibration(Strict):
    """When a rater, or a review, is put on the list of what should be talked over."""

    min_members: Annotated[int, Field(ge=2)] = 3
    leniency_points: Points = Decimal(5)
    narrow_ratio: Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)] = Decimal("0.5")
    parts_apart_points: Points = Decimal(25)
    near_edge_points: Points = Decimal(1)


class ReviewRules(Strict):
    """All of them, with the defaults that hold without the file."""

    inputs_due_days: Annotated[int, Field(ge=0)] = 15
    acknowledgement_days: Annotated[int, Field(ge=0)] = 14
    top_ratings: tuple[Name, ...] = ("outstanding",)
    guideline_pct: dict[Name, Annotated[Decimal, Field(ge=0, le=100, decimal_places=4)]] = {}
    calibration: Calibration = Calibration()
    nine_box: NineBox = NineBox()

    def faults(self, ratings: frozenset[str]) -> Iterator[Fault]:
        """What no single field shows, in view of the ratings of all templates (none: they are not looked at)."""
        total = sum(self.guideline_pct.values(), Decimal(0))
        if self.guideline_pct and total != WHOLE:
            what = f"the guideline sums to {total}, not to 100"
            yield Fault(("guideline_pct",), what, "change it until it sums to exactly 100, or remove it")
        if ratings:
            known = ", ".join(sorted(ratings))
            for name in self.guideline_pct:
                if name not in ratings:
                    yield Fault(("guideline_pct", name), f"no template has a rating {name}", f"use one of {known}")
            for index, name in enumerate(self.top_ratings):
                if name not in ratings:
                    yield Fault(("top_ratings", index), f"no template has a rating {name}", f"use one of {known}")
        for field, axis in (("performance", self.nine_box.performance), ("potential", self.nine_box.potential)):
            if axis.high_from <= axis.middle_from:
                yield Fault(
                    ("nine_box", field, "high_from"),
                    f"the high third begins at {axis.high_from}, not above the middle one at {axis.middle_from}",
                    "give a higher score",
                )
        numbers = (str(box.box) for box in self.nine_box.boxes)
        yield from repeated(numbers, ("nine_box", "boxes"), "box", "box")
