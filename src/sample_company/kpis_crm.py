"""The figures of pipeline, CRM and shared deals, from the opportunities and accounts as they finally stand."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

from sample_company.company import END
from sample_company.crm import BEGIN, STAGES, Opportunity, Step, _state
from sample_company.feeds import TOLD, Feeds, sent_on
from sample_company.figures import EIGHT, Line, Planted, half_up
from sample_company.kpis_service import is_working_day, local_day

FIRST = date(2025, 7, 1)  # no opportunity is older
UNTIL = TOLD[-1]
STALLED_DAYS, FRESH_DAYS, LOGGED_DAYS = timedelta(days=30), timedelta(days=90), 2
DAY = timedelta(days=1)
Subject = tuple[str, str]


@dataclass(frozen=True)
class Period:
    name: str
    start: date
    end: date

    @property
    def balance(self) -> date:
        """The day of which balances are stated."""
        return min(self.end - DAY, UNTIL)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end


def _periods() -> list[Period]:
    found = []
    for length, sign in ((1, "M"), (3, "Q")):
        start = FIRST
        while start < END:
            months = start.month - 1 + length
            end = date(start.year + months // 12, months % 12 + 1, 1)
            number = f"{start.month:02d}" if sign == "M" else f"{(start.month + 2) // 3}"
            found.append(Period(f"{start.year}-{sign}{number}", start, end))
            start = end
    return found


PERIODS = _periods()


@dataclass(frozen=True)
class Deal:
    """An opportunity as far as it was told, on any day."""

    of: Opportunity
    steps: tuple[Step, ...]

    @property
    def created(self) -> date:
        return local_day(self.of.created)

    @property
    def status(self) -> str:
        return self.of.end if self.of.end and len(self.steps) == len(self.of.steps) else "open"

    @property
    def closed(self) -> date | None:
        return None if self.status == "open" else local_day(self.steps[-1].at)

    def open_on(self, day: date) -> Step | None:
        """Its stage at the end of a day on which it is open."""
        if day < self.created or (self.closed is not None and day >= self.closed):
            return None
        return [step for step in self.steps if local_day(step.at) <= day][-1]


class Seen:
    """The company as the figures need it."""

    def __init__(self, feeds: Feeds) -> None:
        self.feeds = feeds
        told = [
            Deal(deal, tuple(step for step in deal.steps if sent_on(step.logged.date()) is not None))
            for deal in feeds.crm.opportunities
        ]
        self.deals = [deal for deal in told if deal.steps]
        self.invoices: dict[str, list[Line]] = defaultdict(list)  # since the first opportunities
        for line in feeds.figures.current.values():
            if line.kind == "invoice" and line.day >= BEGIN:
                self.invoices[line.transaction_id].append(line)
        self.worked: dict[str, list[tuple[date, date]]] = defaultdict(list)  # opportunity: day, known from
        for of, at, entered in feeds.crm.activities:
            self.worked[of.opportunity_id].append((local_day(at), min(local_day(at), local_day(entered))))
        for deal in self.deals:
            for received in TOLD:
                state = _state(deal.of, received)
                if state:
                    day = local_day(state.step.at)
                    self.worked[deal.of.opportunity_id].append((day, day))

    def linked(self, system: str, member_id: str | None) -> str | None:
        """The member whose user of the system the links know; a user of the other system is nobody."""
        if member_id is None:
            return None
        own = "fxiaoke" if self.feeds.members[member_id].currency == "CNY" else "zoho"
        return member_id if own == system else None

    def at(self, member_id: str | None, dealer_id: str | None, day: date, category: str | None = None) -> list[Subject]:
        """Whose figure an event is: who has left has none."""
        found: list[Subject] = [("company", "company")]
        here = member_id if member_id in self.feeds.members and self.feeds.company.employed(member_id, day) else None
        if here:
            found += [("member", here), ("team", self.feeds.members[here].team)]
        if dealer_id:
            found += [("dealer", dealer_id), ("region", self.feeds.figures.region(dealer_id, day))]
        elif here:
            found.append(("region", self.feeds.members[here].region))
        if category:
            found.append(("category", category))
        return found

    def of_deal(self, deal: Deal, day: date) -> list[Subject]:
        return self.at(self.linked(deal.of.system, deal.of.member_id), deal.of.dealer_id, day, deal.of.category)

    def owned(self, deal: Deal, day: date) -> list[Subject]:
        """Whose pipeline an opportunity is: that of nobody is unassigned, so that members and teams are the company."""
        return _or_unassigned(self.of_deal(deal, day))

    def amount(self, deal: Deal, day: date, rate_type: str = "market") -> Decimal:
        return self.feeds.figures.convert(deal.of.amount, deal.of.currency, day, rate_type)


def _or_unassigned(subjects: list[Subject]) -> list[Subject]:
    kinds = {kind for kind, _ in subjects}
    return [*subjects, *((kind, "unassigned") for kind in ("member", "team") if kind not in kinds)]


Groups = dict[Subject, list[Any]]


def _grouped(events: Iterable[tuple[Iterable[Subject], Any]]) -> Groups:
    groups: Groups = defaultdict(list)
    groups["company", "company"] = []
    for subjects, value in events:
        for subject in subjects:
            groups[subject].append(value)
    return groups


def _share(top: Decimal | int, bottom: Decimal | int) -> Decimal | None:
    return Decimal(top) / Decimal(bottom) if bottom else None


def planted(feeds: Feeds) -> Iterator[Planted]:
    """All figures of the three practices, by month and quarter; of the largest sample none."""
    if not feeds.figures.keeps_lines:
        return
    seen = Seen(feeds)
    made = _deals(seen)
    for period in PERIODS:
        yield from _closed(seen, period)
        yield from _open(seen, period)
        yield from _accounts(seen, period)
        yield from _users(seen, period)
        yield from _logged(seen, period)
        yield from _forecast(seen, period)
        yield from _coverage(seen, period)
        yield from _named_revenue(seen, period)
        yield from _shared(seen, made, period)


def _closed(seen: Seen, period: Period) -> Iterator[Planted]:
    entered = _grouped(
        (seen.owned(deal, deal.created), 1)
        for deal in seen.deals
        if deal.created in period and not deal.of.is_taken_over  # of these nobody knows
    )
    for subject, ones in entered.items():
        yield Planted("new_opportunities", period.name, *subject, Decimal(len(ones)) if ones else None)
    closed = _grouped(
        (seen.owned(deal, deal.closed), deal) for deal in seen.deals if deal.closed and deal.closed in period
    )
    for subject, deals in closed.items():
        won = [deal for deal in deals if deal.status == "won"]
        amounts = {id(deal): seen.amount(deal, deal.closed) for deal in deals}
        of_won = sum((amounts[id(deal)] for deal in won), Decimal(0))
        days = [Decimal((deal.closed - deal.created).days) for deal in won if not deal.of.is_taken_over]
        yield Planted("win_rate_count_pct", period.name, *subject, _share(len(won), len(deals)))
        yield Planted("win_rate_value_pct", period.name, *subject, _share(of_won, sum(amounts.values(), Decimal(0))))
        if subject[0] != "category":
            yield Planted("sales_cycle_days", period.name, *subject, _share(sum(days, Decimal(0)), len(days)))
            yield Planted("sales_cycle_days_median", period.name, *subject, median(days) if days else None)


def _open(seen: Seen, period: Period) -> Iterator[Planted]:
    day = period.balance
    states = [(deal, step) for deal in seen.deals if (step := deal.open_on(day))]
    for subject, there in _grouped((seen.owned(deal, day), (deal, step)) for deal, step in states).items():
        amounts = [seen.amount(deal, day) for deal, _ in there]
        weighted = [seen.amount(deal, day) * step.probability / 100 for deal, step in there]
        yield Planted("open_pipeline_amount", period.name, *subject, sum(amounts, Decimal(0)) if there else None)
        yield Planted("weighted_pipeline_amount", period.name, *subject, sum(weighted, Decimal(0)) if there else None)
        if subject[0] == "category":
            continue
        ages = [(day - local_day(step.at)).days for _, step in there]
        stalled = recent = 0
        for deal, _ in there:
            known = [of for of, since in seen.worked[deal.of.opportunity_id] if since <= day]
            last = max((of for of in known if of <= day), default=date.min)
            stalled += max(last, deal.created) <= day - STALLED_DAYS
            recent += any(of > day for of in known) or last > day - STALLED_DAYS
        yield Planted("stage_age_days", period.name, *subject, _share(sum(ages), len(there)))
        yield Planted("stalled_opportunity_pct", period.name, *subject, _share(stalled, len(there)))
        yield Planted("opportunity_with_activity_pct", period.name, *subject, _share(recent, len(there)))


# ------------------------------------------------------------------------------------------------ accounts and users
def _key(text: str | None) -> str:
    return "".join(sign for sign in (text or "").lower() if sign.isalnum())


def _accounts(seen: Seen, period: Period) -> Iterator[Planted]:
    day = period.balance
    held: dict[tuple[str, str], dict[str, Any]] = {}
    for account in sorted(seen.feeds.crm.accounts, key=lambda told: told["changed"]):
        if local_day(account["changed"]) <= day:
            held[account["system"], account["id"]] = account
    written: dict[tuple[str, str, str], int] = defaultdict(int)
    for account in held.values():
        for name in ("name", "phone", "website"):
            written[account["system"], name, _key(account[name])] += bool(account[name])
    judged = []
    for account in held.values():
        filled = 1 + sum(account[name] is not None for name in ("user", "phone", "website", "country", "city"))
        double = any(written[account["system"], name, _key(account[name])] > 1 for name in ("name", "phone", "website"))
        member_id = seen.linked(account["system"], account["member_id"])
        subjects = seen.at(member_id, account["dealer_id"], day)
        fresh = local_day(account["changed"]) > day - FRESH_DAYS
        judged.append((subjects, (half_up(Decimal(filled) / 6, EIGHT), fresh, double)))
    for subject, rows in _grouped(judged).items():
        for place, kpi in enumerate(("account_completeness_pct", "account_fresh_pct", "account_duplicate_pct")):
            top = sum((Decimal(row[place]) for row in rows), Decimal(0))
            yield Planted(kpi, period.name, *subject, _share(top, len(rows)))


def _users(seen: Seen, period: Period) -> Iterator[Planted]:
    done = [(of, local_day(at)) for of, at, _ in seen.feeds.crm.activities if local_day(at) <= UNTIL]
    since = {system: min(day for of, day in done if of.system == system).replace(day=1) for system in STAGES}
    active = {(seen.linked(of.system, of.member_id), f"{day:%Y-%m}") for of, day in done}
    users, doers = set(), set()
    for month in (month for month in PERIODS if "M" in month.name and month.start in period):
        for member_id, member in seen.feeds.members.items():
            system = "fxiaoke" if member.currency == "CNY" else "zoho"
            there = member.hired <= month.balance and (member.left is None or member.left > month.start)
            if there and since[system] <= month.start:
                users.add(member_id)
                if (member_id, f"{month.start:%Y-%m}") in active:
                    doers.add(member_id)

    def subjects(member_id: str) -> list[Subject]:
        member = seen.feeds.members[member_id]
        return [("company", "company"), ("member", member_id), ("team", member.team), ("region", member.region)]

    for subject, flags in _grouped((subjects(user), user in doers) for user in sorted(users)).items():
        yield Planted("crm_active_user_pct", period.name, *subject, _share(sum(flags), len(flags)))


def _working_days(start: date, end: date) -> int:
    """Working days after a day, up to another and with it."""
    return sum(is_working_day(start + DAY * number) for number in range(1, (end - start).days + 1))


def _logged(seen: Seen, period: Period) -> Iterator[Planted]:
    changes = []
    for deal in seen.deals:
        for step in deal.steps:
            day = local_day(step.at)
            if day in period:
                member_id = seen.linked(deal.of.system, deal.of.member_id)
                in_time = _working_days(day, local_day(step.logged)) <= LOGGED_DAYS
                changes.append((seen.at(member_id, deal.of.dealer_id, day), in_time))
    for subject, flags in _grouped(changes).items():
        yield Planted("stage_logged_in_time_pct", period.name, *subject, _share(sum(flags), len(flags)))


# ------------------------------------------------------------------------------------------------ against targets
def _forecast(seen: Seen, period: Period) -> Iterator[Planted]:
    before = period.start - DAY
    known = min(deal.created for deal in seen.deals) < period.start
    expected = []
    for deal in seen.deals:
        step = deal.open_on(before)
        if step and deal.of.expected in period:
            expected.append((seen.of_deal(deal, before), seen.amount(deal, before) * step.probability / 100))
    won = _grouped(
        (seen.of_deal(deal, deal.closed), seen.amount(deal, deal.closed))
        for deal in seen.deals
        if deal.status == "won" and deal.closed and deal.closed in period
    )
    forecast = _grouped(expected)
    for subject in forecast.keys() | won.keys():
        if subject[0] in ("member", "team", "company"):
            real = sum(won.get(subject, ()), Decimal(0))
            error = sum(forecast.get(subject, ()), Decimal(0)) - real
            yield Planted("forecast_error_pct", period.name, *subject, _share(error, real) if known else None)


def _coverage(seen: Seen, period: Period) -> Iterator[Planted]:
    """Of members alone, and where every month of the period has a target: what is open is that of all of them."""
    day = period.balance
    count = 12 * (period.end.year - period.start.year) + period.end.month - period.start.month
    known = min(deal.created for deal in seen.deals) < period.end
    still = _grouped(
        (seen.of_deal(deal, day), seen.amount(deal, day, "plan"))
        for deal in seen.deals
        if deal.open_on(day) and deal.of.expected in period
    )
    targets = {key: value for key, value in seen.feeds.targets.items() if key[1] in period}
    for member_id in sorted({who for who, _ in targets}):
        months = {month for who, month in targets if who == member_id}
        attained = sum(
            seen.feeds.figures.convert(cents, currency, sold, "plan").scaleb(-2)
            for (sold, currency, who), cents in seen.feeds.figures.by_member.items()
            if who == member_id and sold.replace(day=1) in months
        )
        rest = sum(targets[member_id, month] for month in months) - attained
        amount = sum(still.get(("member", member_id), ()), Decimal(0))
        stated = known and len(months) == count and rest > 0
        yield Planted("pipeline_coverage", period.name, "member", member_id, amount / rest if stated else None)


def _named_revenue(seen: Seen, period: Period) -> Iterator[Planted]:
    figures = seen.feeds.figures
    named = {deal.of.transaction_id for deal in seen.deals if deal.status == "won" and deal.of.transaction_id}
    lines = [line for number in sorted(named) for line in seen.invoices[number]]
    if not min(line.day for line in lines).replace(day=1) < period.end:
        yield Planted("revenue_with_opportunity_pct", period.name, "company", "company", None)
        return
    top: dict[Subject, Decimal] = defaultdict(Decimal)
    bottom: dict[Subject, Decimal] = defaultdict(Decimal)
    for line in (line for line in lines if line.day in period):
        amount = figures.convert(line.net, line.currency, line.day)
        top["company", "company"] += amount
        top["region", figures.region(line.dealer_id, line.day)] += amount
        for member_id, _, percent in figures.credits(line):
            top["member", member_id] += amount * percent / 100
    for (day, currency, region), net in figures.by_region.items():
        if day in period:
            bottom["company", "company"] += figures.convert(net, currency, day)
            bottom["region", region] += figures.convert(net, currency, day)
    for (day, currency, member_id), net in figures.by_member.items():
        if day in period:
            bottom["member", member_id] += figures.convert(net, currency, day).scaleb(-2)
    for subject, amount in bottom.items():
        yield Planted(
            "revenue_with_opportunity_pct", period.name, *subject, top[subject] / amount if amount > 0 else None
        )


# ------------------------------------------------------------------------------------------------ shared deals
@dataclass
class Made:
    """A deal: an invoice, or an opportunity won of which no invoice is known."""

    day: date
    dealer_id: str
    amount: Decimal
    lists: dict[str, dict[str, tuple[str | None, int]]]  # list of names: member: role and share
    others: set[str]  # owner of the opportunity, who is credited with the invoice

    @property
    def names(self) -> set[str]:
        return {member_id for names in self.lists.values() for member_id in names}

    @property
    def is_shared(self) -> bool:
        return len(self.names) >= 2

    @property
    def is_named(self) -> bool:
        roles = {who: {names[who][0] for names in self.lists.values() if who in names} - {None} for who in self.names}
        return all(roles.values()) and all(
            sum(share for _, share in names.values()) == 100 for names in self.lists.values()
        )

    @property
    def lead(self) -> str:
        share = {who: max(names[who][1] for names in self.lists.values() if who in names) for who in self.names}
        return min(self.names, key=lambda who: (-share[who], who))


def _deals(seen: Seen) -> list[Made]:
    figures = seen.feeds.figures
    told: dict[tuple[str, str], dict[str, tuple[str | None, int]]] = defaultdict(dict)
    for kind, number, member_id, role, share in seen.feeds.crm.participants:
        told[kind, number][member_id] = role, share
    made: dict[str, Made] = {}
    for number, lines in seen.invoices.items():
        if lines:
            first: Line = min(lines, key=lambda line: line.day)
            amount = sum((figures.convert(line.net, line.currency, line.day) for line in lines), Decimal(0))
            credited = {who for line in lines for who, _, percent in figures.credits(line) if percent}
            made[number] = Made(first.day, first.dealer_id, amount, {}, credited)
            if ("sale", number) in told:
                made[number].lists["sale"] = told["sale", number]
    for deal in seen.deals:
        if deal.status != "won" or deal.closed is None:
            continue
        number = deal.of.transaction_id or ""
        if number not in made:
            owner = seen.linked(deal.of.system, deal.of.member_id)
            number = deal.of.opportunity_id
            made[number] = Made(
                deal.closed, deal.of.dealer_id, seen.amount(deal, deal.closed), {}, {owner} if owner else set()
            )
        if ("opportunity", deal.of.opportunity_id) in told:
            made[number].lists[deal.of.opportunity_id] = told["opportunity", deal.of.opportunity_id]
    since = min(deal.day for deal in made.values() if deal.lists).replace(day=1)
    days = sorted(made.values(), key=lambda deal: deal.day)
    return days[bisect_right(days, since - DAY, key=lambda deal: deal.day) :]


def _shared(seen: Seen, made: list[Made], period: Period) -> Iterator[Planted]:
    there = []
    for deal in (deal for deal in made if deal.day in period):
        subjects = {
            subject
            for member_id in [*deal.names, *deal.others, None]
            for subject in seen.at(member_id, deal.dealer_id, deal.day)
        }
        there.append((subjects, deal))
    for subject, deals in _grouped(there).items():
        shared = [deal for deal in deals if deal.is_shared]
        yield Planted("shared_deal_pct", period.name, *subject, _share(len(shared), len(deals)))
        named = sum(deal.is_named for deal in shared)
        yield Planted("roles_named_pct", period.name, *subject, _share(named, len(shared)))
    amounts = _grouped(
        (_or_unassigned(seen.at(deal.lead, deal.dealer_id, deal.day)), deal.amount)
        for deal in made
        if deal.is_shared and deal.day in period
    )
    for subject, values in amounts.items():
        yield Planted("shared_deal_amount", period.name, *subject, sum(values, Decimal(0)) if values else None)
