"""Planted figures of targets: what was asked, what was reached, what serves an objective, how long approvals took."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from sample_company.company import END, FIRST_RECEIVED, MARKETS, START
from sample_company.feeds import Aim, Feeds
from sample_company.figures import EIGHT, Planted, half_up, quarter_of, quarters

Who = tuple[str, str]  # subject type, subject
Sums = dict[Who, dict[str, Decimal]]  # subject -> period -> amount
# Days about the turn of the year that are free or worked otherwise than by their weekday: New Year of 2026.
FREE = {date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)}
MADE_UP = {date(2026, 1, 4)}


class Period(NamedTuple):
    """A month or quarter, with the codes of the one before and of the same a year before."""

    code: str
    first: date
    after: date
    before: str
    last_year: str

    def holds(self, aim: Aim) -> bool:
        return self.first <= aim.first and aim.after <= self.after


def planted(feeds: Feeds) -> Iterator[Planted]:
    """Figures of months and quarters from the first day of sales to the last."""
    yield from _attainment(feeds)
    yield from _potential(feeds)
    yield from _alignment(feeds)
    yield from _coverage(feeds)
    yield from _approvals(feeds)


def _month_of(day: date) -> str:
    return f"{day.year}-M{day.month:02d}"


def _periods() -> list[Period]:
    found = []
    for code, first, after in quarters(START, END):
        found.append(Period(code, first, after, quarter_of(first - timedelta(days=1)), f"{first.year - 1}{code[4:]}"))
        months = [first, *((first + timedelta(days=days)).replace(day=1) for days in (31, 62)), after]
        for month, end in pairwise(months):
            before = _month_of(month - timedelta(days=1))
            found.append(Period(_month_of(month), month, end, before, _month_of(month.replace(year=month.year - 1))))
    return found


def _sales(feeds: Feeds, rate: str, counts: Callable[[str, str, date], bool] = lambda kind, who, day: True) -> Sums:
    """Net revenue of members, regions and the company by month and quarter; only of days that count for a subject."""
    sums: Sums = defaultdict(lambda: defaultdict(Decimal))
    figures = feeds.figures

    def add(kind: str, who: str, day: date, amount: Decimal) -> None:
        if counts(kind, who, day):
            for period in (_month_of(day), quarter_of(day)):
                sums[kind, who][period] += amount

    for (day, currency, region), cents in figures.by_region.items():
        amount = figures.convert(cents, currency, day, rate)
        add("region", region, day, amount)
        add("company", "company", day, amount)
    for (day, currency, member), percent_cents in figures.by_member.items():
        add("member", member, day, figures.convert(percent_cents, currency, day, rate).scaleb(-2))
    return sums


def _of_sales(feeds: Feeds, kind: str) -> dict[str, list[Aim]]:
    """Targets on all categories' net revenue, by subject."""
    found: dict[str, list[Aim]] = defaultdict(list)
    for aim in feeds.aims:
        if aim.subject_type == kind and aim.metric == "net_revenue" and not aim.category:
            found[aim.subject].append(aim)
    return found


def _attainment(feeds: Feeds) -> Iterator[Planted]:
    asked = {kind: _of_sales(feeds, kind) for kind in ("member", "region", "company")}
    all_sold = _sales(feeds, "plan")
    # Members have no target in months before they came or after they left: sales of these are set against none.
    months = {(aim.subject, _month_of(aim.first)) for of in asked["member"].values() for aim in of}
    sold = _sales(feeds, "plan", lambda kind, who, day: kind != "member" or (who, _month_of(day)) in months)
    reached: dict[tuple[str, str], list[bool]] = defaultdict(list)
    placed: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for period in _periods():
        for kind, subjects in asked.items():
            for subject, aims in subjects.items():
                inside = [aim for aim in aims if period.holds(aim)]
                if not inside:
                    continue
                target = sum((aim.value for aim in inside), Decimal(0))
                actual = sold[kind, subject].get(period.code, Decimal(0))
                value = actual / target if target > 0 else None
                yield Planted("attainment_pct", period.code, kind, subject, value)
                if kind == "member" and target > 0:
                    member = feeds.members[subject]
                    placed["team", member.team, period.code].append(actual >= target)
                    placed["region", member.region, period.code].append(actual >= target)
                    reached["company", period.code].append(actual >= target)
                whole = sum((aim.after - aim.first).days for aim in inside) == (period.after - period.first).days
                for kpi, base_code in (
                    ("target_stretch_pct", period.before),
                    ("target_stretch_last_year_pct", period.last_year),
                ):
                    base = all_sold[kind, subject].get(base_code, Decimal(0))
                    stretch = (target - base) / base if whole and base > 0 else None
                    yield Planted(kpi, period.code, kind, subject, stretch)
    for (kind, subject, code), each in placed.items():
        yield Planted("reached_target_pct", code, kind, subject, Decimal(sum(each)) / len(each))
    for (_, code), each in reached.items():
        yield Planted("reached_target_pct", code, "company", "company", Decimal(sum(each)) / len(each))


def _potential(feeds: Feeds) -> Iterator[Planted]:
    """Of quarters alone: the panel counts no others. What is sold in regions that it does not count is in no share."""
    figures = feeds.figures
    own: dict[Who, dict[tuple[str, str], Decimal]] = defaultdict(lambda: defaultdict(Decimal))  # by region and quarter
    for (day, currency, region), cents in figures.counted_by_region.items():
        amount = figures.convert(cents, currency, day)
        own["region", region][region, quarter_of(day)] += amount
        own["company", "company"][region, quarter_of(day)] += amount
    for (day, currency, region, member), cents in figures.counted_by_member.items():
        own["member", member][region, quarter_of(day)] += figures.convert(cents, currency, day).scaleb(-2)
    codes = [code for code, _, _ in quarters(date(2025, 1, 1), END)]
    for kind in ("region", "company", "member"):
        for subject, aims in _of_sales(feeds, kind).items():
            shares: dict[str, Decimal] = {}
            for place, (code, first, after) in enumerate(quarters(date(2025, 1, 1), END)):
                regions, since = _regions(feeds, kind, subject)
                counted = [(region, code) for region in regions if since <= first and (region, code) in feeds.market]
                market = sum(feeds.market[cell] for cell in counted)
                best = [shares[before] for before in codes[max(0, place - 4) : place] if before in shares]
                inside = [aim for aim in aims if first <= aim.first and aim.after <= after]
                if inside:
                    whole = sum((aim.after - aim.first).days for aim in inside) == (after - first).days
                    target = sum((aim.value for aim in inside), Decimal(0))
                    potential = half_up(market * max(best), EIGHT) if market and best else Decimal(0)
                    value = target / potential if whole and potential > 0 else None
                    yield Planted("target_to_potential_pct", code, kind, subject, value)
                if market:
                    sold = sum((own[kind, subject].get(cell, Decimal(0)) for cell in counted), Decimal(0))
                    shares[code] = half_up(sold / market, EIGHT)


def _regions(feeds: Feeds, kind: str, subject: str) -> tuple[tuple[str, ...], date]:
    """The regions of a subject, and since when they are; members have territories in those of their market."""
    if kind == "region":
        return (subject,), START
    if kind == "company":
        return tuple({region for region, _ in feeds.market}), START
    member = feeds.members[subject]
    if member.hired > FIRST_RECEIVED:
        return (), START
    return next(market.regions for market in MARKETS if market.regions[0] == member.region), max(START, member.hired)


def _alignment(feeds: Feeds) -> Iterator[Planted]:
    """Weights of targets by the month in which they begin: stated by all of a subject's targets, else equal."""
    begun: dict[tuple[str, str, str], list[Aim]] = defaultdict(list)
    for aim in feeds.aims:
        begun[aim.subject_type, aim.subject, _month_of(aim.first)].append(aim)
    sums: dict[tuple[str, str, str], list[Decimal]] = defaultdict(lambda: [Decimal(0), Decimal(0)])
    for (kind, subject, month), aims in begun.items():
        stated = all(aim.weight is not None for aim in aims)
        for aim in aims:
            weight = Decimal(aim.weight or 0) if stated else half_up(Decimal(100) / len(aims), EIGHT)
            subjects = {("company", "company")}
            if kind == "member":
                subjects |= {(kind, subject), ("team", feeds.members[subject].team)}
            elif kind == "team":
                subjects |= {(kind, subject)}
            for who in subjects:
                for period in (month, quarter_of(aim.first)):
                    each = sums[(*who, period)]
                    each[1] += weight
                    if aim.objective is not None and aim.objective.startswith(f"OBJ-{aim.first.year}"):
                        each[0] += weight
    for (kind, subject, period), (aligned, whole) in sums.items():
        yield Planted("aligned_target_weight_pct", period, kind, subject, aligned / whole)


def _coverage(feeds: Feeds) -> Iterator[Planted]:
    """Three objectives are in force in every year."""
    for period in _periods():
        served = {
            aim.objective
            for aim in feeds.aims
            if aim.objective is not None
            and aim.objective.startswith(f"OBJ-{period.first.year}")
            and aim.objective.startswith(f"OBJ-{aim.first.year}")
            and aim.first < period.after
            and aim.after > period.first
        }
        yield Planted("objective_coverage_pct", period.code, "company", "company", Decimal(len(served)) / 3)


def _approvals(feeds: Feeds) -> Iterator[Planted]:
    taken: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for member, submitted, decided in feeds.approvals:
        if decided is None:
            continue
        days = [submitted + timedelta(days=number) for number in range(1, (decided - submitted).days + 1)]
        worked = sum(day in MADE_UP or (day.weekday() < 5 and day not in FREE) for day in days)
        for period in (_month_of(decided), quarter_of(decided)):
            taken["company", "company", period].append(worked)
            taken["team", feeds.members[member].team, period].append(worked)
    for (kind, subject, period), each in taken.items():
        yield Planted("target_approval_days", period, kind, subject, Decimal(sum(each)) / len(each))
