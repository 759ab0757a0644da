"""The training plan (``config/training_plan.yml``): which levels of skill a role asks for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from dealermart.config.yamlfile import Fault, Strict, repeated

Level = Annotated[Decimal, Field(ge=0, le=100, max_digits=9, decimal_places=4)]


class Wanted(Strict):
    """The level of a topic that a role asks for; with a grade only of that grade, which goes before the role."""

    role: Literal["sales", "service", "support", "manager", "overlay"]
    grade: Annotated[str, Field(min_length=1)] | None = None
    topic: Literal["product", "market", "selling", "service"]
    level: Level


class TrainingPlan(Strict):
    """What is asked for; without levels only courses make gaps."""

    serious_gap: Level = Decimal(25)
    levels: tuple[Wanted, ...] = ()

    def faults(self) -> Iterator[Fault]:
        """What no single field shows."""
        keys = (" ".join(filter(None, (level.role, level.grade, level.topic))) for level in self.levels)
        yield from repeated(keys, ("levels",), "topic", "role, grade and topic")
