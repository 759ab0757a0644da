"""What the KPIs of cases and requests for support must be, by the desk's own objects and a plain count of seconds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from sample_company.company import END
from sample_company.feeds import TOLD, Feeds, until
from sample_company.figures import EIGHT, Planted, half_up, quarter_of

LIMITS = {"low": 18, "normal": 9, "high": 4, "urgent": 2}
OPENS, CLOSES = time(9), time(18)
EAST = timedelta(hours=8)  # Shanghai has no summer time


@cache
def _calendar() -> tuple[frozenset[date], frozenset[date]]:
    """Days off and weekends worked, as config/calendar.yml lists them."""
    text = yaml.safe_load((Path(__file__).resolve().parents[2] / "config" / "calendar.yml").read_text("utf-8"))
    free = {
        holiday["from"] + timedelta(days=number)
        for holiday in text["holidays"]
        for number in range((holiday["to"] - holiday["from"]).days + 1)
    }
    return frozenset(free), frozenset(text["make_up_days"])


def is_working_day(day: date) -> bool:
    """Whether the sample company works on a day."""
    free, worked = _calendar()
    return day in worked or (day.weekday() < 5 and day not in free)


def business_hours(begun: datetime, ended: datetime) -> Decimal:
    """Hours of business between two moments in UTC, day by day."""
    begun, ended = begun + EAST, ended + EAST
    seconds = 0
    day = begun.date()
    while day <= ended.date():
        if is_working_day(day):
            opens = max(datetime.combine(day, OPENS), begun)
            closes = min(datetime.combine(day, CLOSES), ended)
            seconds += max(0, int((closes - opens).total_seconds()))
        day += timedelta(days=1)
    return half_up(Decimal(seconds) / 3600, EIGHT)  # as the fact has them


def local_day(moment: datetime) -> date:
    """The day in Shanghai of a moment in UTC."""
    return (moment + EAST).date()


def periods(day: date) -> tuple[str, str]:
    """The month and the quarter of a day."""
    return f"{day:%Y}-M{day:%m}", quarter_of(day)


Subjects = dict[str, str | None]
Values = dict[tuple[str, str, str], list[Any]]


def gathered(rows: Iterable[tuple[date, Subjects, Any]]) -> Values:
    """(period, subject type, subject) -> values, of rows that fall on a day and are about subjects."""
    found: Values = defaultdict(list)
    for day, subjects, value in rows:
        if day >= END:
            continue
        for period in periods(day):
            for kind, subject in {**subjects, "company": "company"}.items():
                if subject is not None:
                    found[period, kind, subject].append(value)
    return found


def made(kpi: str, values: Values, of: Callable[[list[Any]], Decimal]) -> Iterator[Planted]:
    """A figure of every subject and period that has any value."""
    for (period, kind, subject), listed in sorted(values.items()):
        yield Planted(kpi, period, kind, subject, of(listed))


def share(values: list[bool]) -> Decimal:
    """The part of them that is so."""
    return Decimal(sum(values)) / len(values)


def mean(values: list[Decimal]) -> Decimal:
    """The mean, exactly."""
    return sum(values, Decimal(0)) / len(values)


def middle(values: list[Decimal]) -> Decimal:
    """The median of values with 8 decimals."""
    return Decimal(median(half_up(value, EIGHT) for value in values))


def planted(feeds: Feeds) -> Iterator[Planted]:
    """The figures of cases and requests, by company, region, dealer and member (the company alone for wellbeing)."""
    yield from _cases(feeds)
    yield from _requests(feeds)


def _cases(feeds: Feeds) -> Iterator[Planted]:
    last = TOLD[-1]
    rows: dict[str, list[tuple[date, Subjects, Any]]] = defaultdict(list)
    resolved_of_opened: Values = defaultdict(list)
    for case in feeds.cases:
        responded, resolved = until(last, case.responded), until(last, case.resolved)
        opened_on, due_on = local_day(case.opened), local_day(case.due)

        def about(day: date, case: Any = case) -> Subjects:
            region = feeds.company.dealer_on(case.dealer_id, day).region
            return {"dealer": case.dealer_id, "member": _at_work(feeds, case.member_id, day), "region": region}

        opened = opened_on, about(opened_on)
        if responded:
            rows["hours"].append((*opened, business_hours(case.opened, responded)))
        rows["answered"].append(
            (*opened, responded is not None and business_hours(case.opened, responded) <= LIMITS[case.priority])
        )
        rows["cross"].append((*opened, case.helper_id is not None and _other_team(feeds, case)))
        in_time = resolved is not None and resolved <= case.due
        if case.due.date() <= last:  # else it is not due yet, resolved or not
            rows["due"].append((due_on, about(due_on), in_time))
            if case.category == "dispute":
                rows["dispute"].append((due_on, about(due_on), in_time))
        resolved_on = local_day(resolved) if resolved else None
        for period in periods(opened_on):
            for kind, subject in {**opened[1], "company": "company"}.items():
                done = resolved_on is not None and period in periods(resolved_on)
                earlier = resolved_on is not None and resolved_on < opened_on
                resolved_of_opened[period, kind, str(subject)].append(done or earlier)
        if resolved_on:
            closing = resolved_on, about(resolved_on)
            assert resolved is not None
            rows["resolution"].append((*closing, business_hours(case.opened, resolved)))
            rows["one contact"].append((*closing, case.contacts <= 1))
            rows["not reopened"].append((*closing, case.reopened == 0))
            rows["reopened"].append((*closing, case.reopened > 0))
            if case.quality is not None:
                rows["quality"].append((*closing, Decimal(case.quality)))
    yield from made("first_response_hours", gathered(rows["hours"]), mean)
    yield from made("first_response_hours_median", gathered(rows["hours"]), middle)
    yield from made("first_response_in_time_pct", gathered(rows["answered"]), share)
    yield from made("cross_team_case_pct", gathered(rows["cross"]), share)
    yield from made("resolved_in_time_pct", gathered(rows["due"]), share)
    yield from made("dispute_in_time_pct", gathered(rows["dispute"]), share)
    yield from made("resolution_pct", resolved_of_opened, share)
    yield from made("resolution_hours", gathered(rows["resolution"]), mean)
    yield from made("resolution_hours_median", gathered(rows["resolution"]), middle)
    yield from made("fcr_one_contact_pct", gathered(rows["one contact"]), share)
    yield from made("fcr_no_reopen_pct", gathered(rows["not reopened"]), share)
    yield from made("reopened_pct", gathered(rows["reopened"]), share)
    yield from made("case_quality_mean", gathered(rows["quality"]), mean)


def _at_work(feeds: Feeds, member_id: str, day: date) -> str | None:
    """The member, or nobody: who has left by the day has no duty any more and is not rated."""
    return member_id if feeds.company.employed(member_id, day) else None


def _other_team(feeds: Feeds, case: Any) -> bool:
    return feeds.members[case.helper_id].team != feeds.members[case.member_id].team


def _requests(feeds: Feeds) -> Iterator[Planted]:
    last = TOLD[-1]
    rows: dict[str, list[tuple[date, Subjects, Any]]] = defaultdict(list)
    for request in feeds.requests:
        wellbeing = request.kind == "wellbeing"
        name = "wellbeing" if wellbeing else "support"

        def about(moment: datetime, request: Any = request, wellbeing: bool = wellbeing) -> tuple[date, Subjects]:
            day = local_day(moment)
            member = _at_work(feeds, request.assignee, day)
            return day, {} if wellbeing else {"member": member, "dealer": request.dealer}

        responded, closed = until(last, request.responded), until(last, request.closed)
        if responded:
            hours = business_hours(request.opened, responded)
            rows[f"{name}_first_response_hours"].append((*about(request.opened), hours))
        if closed:
            hours = business_hours(request.opened, closed)
            rows[f"{name}_resolution_hours"].append((*about(closed), hours))
            if request.rating is not None:
                rows[f"{name}_satisfaction_mean"].append((*about(closed), Decimal(request.rating)))
    for kpi, listed in sorted(rows.items()):
        yield from made(kpi, gathered(listed), mean)
        if kpi.endswith("_hours"):
            yield from made(f"{kpi}_median", gathered(listed), middle)
