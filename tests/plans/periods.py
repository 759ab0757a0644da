"""Fiscal periods of a year that begins in January."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = {"month": 1, "quarter": 3, "year": 12}


def first_of(months: int) -> date:
    """The first day of a month, counted in months since year 0."""
    return date(months // 12, months % 12 + 1, 1)


def count_of(when: date) -> int:
    """The month of a day, counted in months since year 0."""
    return when.year * 12 + when.month - 1


@dataclass(frozen=True, order=True)
class Period:
    """``start`` is its first day, ``end`` the first day after it."""

    start: date
    end: date
    kind: str

    @property
    def months(self) -> int:
        return MONTHS[self.kind]

    @property
    def length(self) -> int:
        return (self.end - self.start).days

    @property
    def all_days(self) -> list[date]:
        return [self.start + timedelta(number) for number in range(self.length)]

    def holds(self, when: date) -> bool:
        return self.start <= when < self.end

    def shifted(self, by: int) -> Period:
        """The period so many periods later (or earlier)."""
        return of_day(self.kind, first_of(count_of(self.start) + by * self.months))

    @property
    def year(self) -> Period:
        return of_day("year", self.start)

    @property
    def of_year_so_far(self) -> list[Period]:
        """The periods of its fiscal year up to this one."""
        found, each = [], of_day(self.kind, self.year.start)
        while each.start <= self.start:
            found.append(each)
            each = each.shifted(1)
        return found

    @property
    def month_ends(self) -> list[date]:
        first = count_of(self.start)
        return [first_of(first + number + 1) - timedelta(1) for number in range(self.months)]

    @property
    def name(self) -> str:
        if self.kind == "year":
            return f"{self.start.year}"
        if self.kind == "quarter":
            return f"{self.start.year}-Q{(self.start.month + 2) // 3}"
        return f"{self.start.year}-M{self.start.month:02d}"


def of_day(kind: str, when: date) -> Period:
    """The period of a kind that holds a day."""
    size = MONTHS[kind]
    first = count_of(when) // size * size
    return Period(first_of(first), first_of(first + size), kind)


def parse(text: object) -> Period:
    """The period that a text names: 2026-M02 or 2026-02, 2026-Q1, 2026."""
    year, _, rest = str(text).partition("-")
    if not rest:
        return of_day("year", date(int(year), 1, 1))
    if rest.startswith("Q"):
        return of_day("quarter", date(int(year), int(rest[1:]) * 3, 1))
    return of_day("month", date(int(year), int(rest.lstrip("M")), 1))


def periods_up_to(first: date, last: Period) -> Iterator[Period]:
    """The periods of the last one's kind from that of a day up to it."""
    each = of_day(last.kind, first)
    while each.start <= last.start:
        yield each
        each = each.shifted(1)
