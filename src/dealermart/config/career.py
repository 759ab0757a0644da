"""The career ladder (``config/career_ladder.yml``): grades by role, and what the next one asks for."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from dealermart.config.contracts import Name
from dealermart.config.yamlfile import Fault, Strict, repeated

Topic = Literal["product", "market", "selling", "service"]

# What a condition of each kind must say, beside what it may.
NEEDED = {
    "rating": ("rating", "quarters"),
    "months_in_grade": ("months",),
    "skill": ("topic", "level"),
    "training": ("courses",),
}
ALLOWED = {**NEEDED, "rating": ("rating", "quarters", "of_last"), "training": ("courses", "topic")}
FIELDS = ("rating", "quarters", "of_last", "months", "topic", "level", "courses")


class Condition(Strict):
    """One thing that a grade asks of those in the grade below it.

    ``rating``: that rating or better in ``quarters`` of the last ``of_last`` quarters (without it: of as many).
    ``months_in_grade``: full months in the grade below. ``skill``: a level (0 to 100) of the weakest skill of a topic.
    ``training``: courses passed, of a topic where one is named.
    """

    kind: Literal["rating", "months_in_grade", "skill", "training"]
    rating: Name | None = None
    quarters: Annotated[int, Field(ge=1)] | None = None
    of_last: Annotated[int, Field(ge=1)] | None = None
    months: Annotated[int, Field(ge=1)] | None = None
    topic: Topic | None = None
    level: Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)] | None = None
    courses: Annotated[int, Field(ge=1)] | None = None

    def faults(self, at: tuple[str | int, ...], ratings: frozenset[str]) -> Iterator[Fault]:
        """Fields that the kind lacks or does not know."""
        for name in FIELDS:
            given = getattr(self, name) is not None
            if given and name not in ALLOWED[self.kind]:
                allowed = ", ".join(ALLOWED[self.kind])
                yield Fault((*at, name), f"a condition of kind {self.kind} has no {name}", f"write only {allowed}")
            elif not given and name in NEEDED[self.kind]:
                yield Fault(at, f"a condition of kind {self.kind} must say {name}", f"add {name}")
        if self.quarters and self.of_last and self.of_last < self.quarters:
            what = f"{self.quarters} of the last {self.of_last} quarters can never be"
            yield Fault((*at, "of_last"), what, "write a larger number")
        if ratings and self.rating and self.rating not in ratings:
            known = ", ".join(sorted(ratings))
            yield Fault((*at, "rating"), f"the role's templates have no rating {self.rating}", f"use one of {known}")


class Grade(Strict):
    """A grade as the feed of members names it, with what it asks for; the lowest one asks for nothing."""

    grade: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    name_zh: Annotated[str, Field(min_length=1)]
    conditions: tuple[Condition, ...] = ()


class Ladder(Strict):
    """The grades of a role, the lowest first."""

    role: Literal["sales", "service", "support", "manager", "overlay"]
    grades: Annotated[tuple[Grade, ...], Field(min_length=1)]


class CareerLadder(Strict):
    """All ladders; a role without one has no next grade."""

    ladders: tuple[Ladder, ...] = ()

    def faults(self, ratings: dict[str, frozenset[str]]) -> Iterator[Fault]:
        """What no single field shows, in view of the ratings of each role's templates."""
        yield from repeated((ladder.role for ladder in self.ladders), ("ladders",), "role", "role")
        for number, ladder in enumerate(self.ladders):
            at = ("ladders", number, "grades")
            yield from repeated((grade.grade for grade in ladder.grades), at, "grade", "grade")
            for index, grade in enumerate(ladder.grades):
                if index == 0 and grade.conditions:
                    what = f"{grade.grade} is the lowest grade of {ladder.role} and asks for something"
                    yield Fault((*at, 0, "conditions"), what, "conditions are those of coming from the grade below")
                if index and not grade.conditions:
                    what = f"{grade.grade} asks for nothing, so that everybody below it is ready"
                    yield Fault((*at, index), what, "add conditions")
                for place, condition in enumerate(grade.conditions):
                    here = (*at, index, "conditions", place)
                    yield from condition.faults(here, ratings.get(ladder.role, frozenset()))
