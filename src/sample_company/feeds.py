"""What the modules that write these feeds share: company, ledger, and each feed's rows as they finally stand.

A module notes every row that must be accepted by `keep`; the truth's counts and sums are taken over what was noted, not
over what was written. Moments are UTC; each system writes them in its own way.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar

from sample_company.company import FIRST_RECEIVED, Company, Member
from sample_company.figures import Figures
from sample_company.ledger import ACCEPTED, Fate, Ledger
from sample_company.receivables import Receipt

StateT = TypeVar("StateT")

# Received dates of what changes all the time: at first, and twice more.
TOLD = (FIRST_RECEIVED, date(2026, 8, 4), date(2026, 10, 3))

# feed: measures of its current rows, each (count, sum, min or max; column; column that groups)
MEASURES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "absences": (("count", "", "kind"), ("min", "valid_from", "")),
    "actions": (("count", "", "kind"), ("count", "", "outcome")),
    "adjustments": (("sum", "amount", "currency_code"),),
    "career_events": (("count", "", "kind"),),
    "crm_accounts": (("count", "", "crm_system"), ("min", "created_at", "crm_system")),
    "crm_activities": (("count", "", "kind"), ("min", "occurred_at", "crm_system")),
    "crm_opportunities": (("sum", "amount", "currency_code"), ("count", "", "stage"), ("count", "", "status")),
    "crm_stage_changes": (("count", "", "to_stage"), ("max", "changed_at", "crm_system")),
    "deal_participants": (("sum", "contribution_pct", "deal_type"),),
    "dealer_stock": (("sum", "on_hand_quantity", "as_of_date"),),
    "events": (("count", "", "kind"), ("sum", "rating", "attendee_type")),
    "id_links": (("count", "", "system"), ("count", "", "subject_type")),
    "market": (("sum", "amount", "product_category"), ("sum", "quantity", "period_start")),
    "messages": (("count", "", "channel"), ("max", "sent_at", "")),
    "objectives": (("sum", "weight_pct", "valid_from"),),
    "payments": (("sum", "amount", "currency_code"), ("count", "", "payment_type")),
    "plan_acceptances": (("count", "", "outcome"),),
    "recognitions": (("sum", "value_amount", "currency_code"),),
    "review_acknowledgements": (("count", "", "period_id"),),
    "review_appeals": (("count", "", "outcome"),),
    "review_goals": (("count", "", "status"),),
    "review_inputs": (("sum", "score", "rater_type"),),
    "service_cases": (("count", "", "category"), ("min", "opened_at", ""), ("max", "resolved_at", "")),
    "skills": (("sum", "level", "topic"),),
    "statement_disputes": (("sum", "disputed_amount", "currency_code"), ("count", "", "outcome")),
    "support_requests": (("count", "", "kind"), ("min", "opened_at", "")),
    "survey_responses": (("count", "", "survey"),),
    "target_approvals": (("sum", "approved_value", "outcome"),),
    "territories": (("count", "", "subject_type"), ("count", "", "region")),
}


class Aim(NamedTuple):
    """A target as it finally stands."""

    subject_type: str
    subject: str
    metric: str
    category: str
    first: date
    after: date
    value: Decimal
    objective: str | None
    weight: int | None


class Attendance(NamedTuple):
    """Who was asked to an event or came: a member or a dealer."""

    event_id: str
    kind: str
    day: date
    organiser: str
    attendee_type: str
    attendee: str
    invited: bool
    came: bool
    rating: int | None


class Skill(NamedTuple):
    """One assessment, on a scale from 1 to 5."""

    member_id: str
    skill: str
    day: date
    level: int


@dataclass
class Crm:
    """What the CRM systems hold in the end, for the figures that are taken of it."""

    opportunities: list[Any] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)  # every version
    activities: list[tuple[Any, datetime, datetime]] = field(default_factory=list)  # opportunity, when, first entered
    participants: list[tuple[str, str, str, str | None, int]] = field(default_factory=list)  # as sent, but for the day


class Feeds:
    """The company seen by those who write its other feeds."""

    def __init__(self, ledger: Ledger, company: Company, figures: Figures, seed: int) -> None:
        self.ledger = ledger
        self.company = company
        self.figures = figures
        self._seed = seed
        self._rows: dict[str, dict[tuple[Any, ...], dict[str, Any]]] = defaultdict(dict)
        self.aims: list[Aim] = []  # all targets as they finally stand
        self.approvals: list[tuple[str, date, date | None]] = []  # whose target, submitted, decided
        self.market: dict[tuple[str, str], int] = {}  # region and quarter: the whole market in CNY
        self.receipts: dict[str, tuple[Receipt, str]] = {}  # payments by number, with the one that a refund gives back
        self.crm = Crm()
        self.targets: dict[tuple[str, date], Decimal] = {}  # revenue targets by member and month
        self.cases: list[Any] = []  # what modules wrote, for those that compute figures of it
        self.requests: list[Any] = []
        self.messages: list[Any] = []
        self.actions: list[Any] = []
        self.trainings: list[dict[str, Any]] = []  # records as the learning system shows them last
        self.surveys: list[dict[str, Any]] = []  # as sent last, of all surveys
        self.adjustments: list[tuple[str, date, Decimal]] = []  # approved: payee, effective day, CNY
        self.attendances: list[Attendance] = []
        self.skills: list[Skill] = []
        self.promotions: list[tuple[str, date, str]] = []  # member, first day, grade
        self.peer_ratings: list[tuple[str, str, int | None]] = []  # member, quarter, score on 1..5
        self.reviews: dict[tuple[str, str], date | None] = {}  # (member, quarter): day of delivery
        self.cast: Any = None  # the planted people of reviews
        self.said: list[Any] = []  # ratings for reviews
        self.granted: dict[tuple[str, str, str], int] = {}  # (member, quarter, criterion): score after an appeal
        self.goals: dict[tuple[str, str], list[Decimal]] = {}  # (member, quarter): progress of the goals that count
        self.members: dict[str, Member] = {m.member_id: m for m in company.members + company.late_members}

    def rng(self, name: str) -> random.Random:
        """A stream of random numbers of its own, so that one feed's rows do not hang on another's."""
        return random.Random(f"{name} {self._seed} {self.company.size.name}")

    def keep(self, feed: str, *key: object, **values: object) -> Fate:
        """Note a row that must be accepted; a later one of the same key replaces it."""
        self._rows[feed][key] = values
        return ACCEPTED

    def rows(self, feed: str) -> dict[tuple[Any, ...], dict[str, Any]]:
        """Key -> values of a feed's rows as they finally stand."""
        return self._rows[feed]

    def at_work(self, day: date, *roles: str) -> list[str]:
        """Members employed on a day, of the given roles or of all."""
        return [
            member_id
            for member_id, member in sorted(self.members.items())
            if self.company.employed(member_id, day) and (not roles or member.role in roles)
        ]

    def dealers(self, day: date) -> list[str]:
        """Dealers onboarded by a day that are neither prospects nor terminated then."""
        return [
            dealer_id
            for dealer_id, rows in sorted(self.company.by_dealer.items())
            if rows[0].onboarded <= day and self.company.dealer_on(dealer_id, day).status == "active"
        ]

    def owner(self, dealer_id: str, day: date) -> str | None:
        """The member with the largest share in the dealer's sales on a day, if one has any."""
        shares = self.company.shares(dealer_id, day)
        return shares[0][0] if shares else None

    def truth(self) -> dict[str, Any]:
        """Feed -> count of current rows and its measures, each with the value by group."""
        return {
            feed: {
                "current": len(rows),
                "measures": [
                    {"measure": measure, "of": column, "by": group, "values": _values(rows, measure, column, group)}
                    for measure, column, group in MEASURES[feed]
                ],
            }
            for feed, rows in sorted(self._rows.items())
        }


def _values(rows: dict[tuple[Any, ...], dict[str, Any]], measure: str, column: str, group: str) -> dict[str, str]:
    groups: dict[str, list[Any]] = defaultdict(list)
    for row in rows.values():
        name = "" if not group or row[group] is None else str(row[group])
        value = 1 if measure == "count" else row[column]
        if value is not None:
            groups[name].append(value)
    of: dict[str, Callable[[list[Any]], object]] = {
        "count": len,
        "sum": lambda values: f"{sum(map(Decimal, values), Decimal(0)):f}",
        "min": min,
        "max": max,
    }
    return {name: str(of[measure](values)) for name, values in sorted(groups.items())}


def sent_on(day: date) -> date | None:
    """The received date of the first file that can know of a day; None after the last one."""
    return next((received for received in TOLD if day <= received), None)


def states(known: Callable[[date], StateT | None]) -> Iterator[tuple[date, StateT]]:
    """Every state of a record that differs from the one sent before, with the date of the file that tells it.

    Args:
        known: What is known of the record at the end of a day; None before it exists.
    """
    before: StateT | None = None
    for day in TOLD:
        state = known(day)
        if state is not None and state != before:
            yield day, state
            before = state


def moment(day: date, minutes: int) -> datetime:
    """A moment in UTC; 0 to 540 minutes lie in the working hours of Shanghai, 9 to 18 o'clock."""
    return datetime.combine(day, time(1)) + timedelta(minutes=minutes)


def until(day: date, value: datetime | None) -> datetime | None:
    """The moment if it has come by the end of the day."""
    return value if value is not None and value.date() <= day else None


def with_offset(value: datetime | None, hours: int) -> str | None:
    """2026-03-01T14:05:00+08:00"""
    if value is None:
        return None
    return f"{value + timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}{hours:+03d}:00"


def in_shanghai(value: datetime | None) -> str:
    """2026/3/1 14:05, as Chinese systems write it; empty for none."""
    if value is None:
        return ""
    local = value + timedelta(hours=8)
    return f"{local.year}/{local.month}/{local.day} {local:%H:%M}"
