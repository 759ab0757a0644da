"""Amounts, and what the stages of the second reckoning hand to one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any

from tests.plans.facts import Line

NOTHING = Fraction(0)
WHOLE = Fraction(1)
Key = tuple[date, str, int, str]
Place = tuple[int, int]  # of a line: rule and stretch of its table


@dataclass(frozen=True)
class Event:
    """One thing that counts: a line, what came back of one, or a payment on one; with the payee's share taken."""

    key: Key
    line: Line
    sale: Line
    day: date
    share: Fraction
    part: Fraction  # of the line: 1, or what a payment is of it
    measure: Fraction | None
    units: Fraction
    net: Fraction
    cost: Fraction | None
    discount: Fraction
    rules: tuple[int, ...]
    currency: str | None
    no_rate: bool = False


@dataclass
class StatementLine:
    """A line of the statement. ``earned`` is None while it is held."""

    payee: str
    component: str
    kind: str
    earned: Fraction | None
    band: int | None = None
    place: Place | None = None
    base: Fraction | None = None
    reason: str | None = None
    currency: str | None = None
    document: str | None = None


@dataclass
class Raw:
    """What the tables come to before factors and limits."""

    pieces: dict[Place, list[Fraction]] = field(default_factory=dict)  # base, amount
    bands: dict[Place, int | None] = field(default_factory=dict)  # which band the line names
    one_line: set[int] = field(default_factory=set)  # rules whose table has one line, not one for each band
    earned: dict[Key, dict[Place, Fraction]] = field(default_factory=dict)
    held: str | None = None
    reason: str | None = None
    before: dict[Place, Fraction] = field(default_factory=dict)  # amounts up to the period before, of what goes on


@dataclass
class Outcome:
    """What a component comes to in a period: after gates, limits and the leaver's rule."""

    lines: list[StatementLine]
    amount: Fraction
    parts: dict[Key, Fraction]  # event -> its cents of the amount
    held: str | None = None
    reason: str | None = None
    attainment: Fraction | None = None
    target: Fraction | None = None
    excess: Fraction = NOTHING  # what the cap cut off
    paid: dict[Key, Fraction] = field(default_factory=dict)  # event -> what it was paid, exactly


@dataclass
class Balance:
    """A balance of a payee in the period."""

    opening: Fraction
    movement: Fraction

    @property
    def closing(self) -> Fraction:
        return self.opening + self.movement


@dataclass
class Statement:
    """All that a case comes to."""

    lines: list[StatementLine]
    payout: dict[str, Fraction | None]  # None: something of it is held
    balances: dict[tuple[str, str], Balance]
    targets: dict[tuple[str, str], Fraction | None]
    proposals: list[dict[str, Any]]
    due_by_document: dict[tuple[str, str, str], Fraction]  # payee, component, document -> what of it was paid now


@dataclass(frozen=True)
class Settings:
    """With which of the later facts a period is reckoned."""

    returns_before: date | None = None  # also what came back of its sales before this day
    payments_before: date | None = None
    without: frozenset[str] = frozenset()  # documents that were not known
    document: str | None = None  # only this one, from its beginning
    until: date | None = None  # sold before this day
