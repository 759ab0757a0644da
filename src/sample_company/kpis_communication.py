"""What the KPIs of messages, suggestions, agreed actions and contacts with dealers must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from sample_company.care import BEGIN, Action, Message
from sample_company.company import END
from sample_company.feeds import TOLD, Feeds, until
from sample_company.figures import Planted
from sample_company.kpis_people import ALL, PEOPLE, Part, Subject, Who, after, month_of, periods, seen_until, share
from sample_company.kpis_service import business_hours, is_working_day, local_day, middle

# As the company file and its defaults say.
FITTING = {
    "low": ("email", "chat", "portal"),
    "normal": ("email", "chat", "portal", "meeting", "video"),
    "high": ("phone", "chat", "meeting", "video"),
    "urgent": ("phone", "meeting", "video"),
}
ACKNOWLEDGED = ("instruction", "market_info")
CADENCE = {"A": 14, "B": 21, "C": 45}
CORRECTION_DAYS = 30
ANSWER_DAYS = 10


def planted(feeds: Feeds) -> Iterator[Planted]:
    """KPIs under the headings Communication and Actions."""
    who = Who(feeds)
    seen = seen_until(feeds)
    yield from _messages(feeds, who, seen)
    yield from _actions(feeds, who, seen)
    yield from _dealers(feeds, who)


def _messages(feeds: Feeds, who: Who, seen: date) -> Iterator[Planted]:
    parts: dict[str, list[Part]] = defaultdict(list)
    hours: dict[tuple[str, Subject], list[Decimal]] = defaultdict(list)
    for message in feeds.messages:
        sent = local_day(message.sent)
        if message.sent.date() > TOLD[-1]:
            continue
        month, subjects = month_of(sent), who.subjects(sent, message.sender_id, message.dealer)
        due = local_day(message.due)
        if due < seen:
            # Who has left by the due day has no duty any more.
            at_work = feeds.company.employed(message.sender_id, due)
            duty = tuple(subject for subject in subjects if at_work or subject[0] not in ("member", "team"))
            in_time = Part(month_of(due), duty, int(message.sent <= message.due), 1)
            parts["message_in_time_pct"].append(in_time)
            if message.urgency == "urgent":
                parts["message_in_time_urgent_pct"].append(in_time)
            if message.kind == "market_info":
                parts["market_information_in_time_pct"].append(in_time)
        fits = message.channel in FITTING[message.urgency]
        parts["channel_fit_pct"].append(Part(month, subjects, int(fits), 1))
        parts["message_accuracy_pct"] += _accurate(message, sent, subjects)
        if message.asked if message.asked is not None else message.kind in ACKNOWLEDGED:
            confirmed = until(TOLD[-1], message.acknowledged)
            known = month_of(local_day(confirmed)) if confirmed else None
            parts["acknowledged_pct"].append(Part(month, subjects, int(confirmed is not None), 1, known))
            if confirmed is None or known is None:
                continue
            waited = business_hours(message.sent, confirmed)
            for period in (period for period, end in periods(month) if known < end <= END):
                for subject in subjects:
                    hours[period, subject].append(waited)
    for kpi, listed in sorted(parts.items()):
        yield from share(kpi, listed, *ALL)
    for (period, (level, name)), values in sorted(hours.items()):
        yield Planted("acknowledge_hours", period, level, name, middle(values))


def _accurate(message: Message, sent: date, subjects: tuple[Subject, ...]) -> Iterator[Part]:
    """1 of 1, and a correction takes it back from its month on."""
    yield Part(month_of(sent), subjects, 1, 1)
    corrected = until(TOLD[-1], message.corrected)
    if corrected and (local_day(corrected) - sent).days <= CORRECTION_DAYS:
        yield Part(month_of(sent), subjects, -1, 0, month_of(local_day(corrected)))


def _told(day: date | None) -> date | None:
    return day if day is not None and day <= TOLD[-1] else None


def _answer_due(agreed: date) -> date:
    """The last of the working days after the one on which a suggestion was made."""
    day, left = agreed, ANSWER_DAYS
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return day


def _actions(feeds: Feeds, who: Who, seen: date) -> Iterator[Planted]:
    parts: dict[str, list[Part]] = defaultdict(list)

    def add(kpi: str, due: date, done: date | None, action: Action, member_id: str) -> None:
        at_work = feeds.company.employed(member_id, due)
        subjects = who.subjects(due, member_id if at_work else None, action.dealer)
        told = _told(done)
        if due < seen and (at_work or kpi != "career_talk_in_time_pct"):
            parts[kpi].append(Part(month_of(due), subjects, int(told is not None and told <= due), 1))

    for action in feeds.actions:
        if action.kind == "improvement":
            add("action_done_in_time_pct", action.due, action.done, action, action.owner_id)
        elif action.kind == "suggestion":
            add("suggestion_answered_pct", _answer_due(action.agreed), action.answered, action, action.owner_id)
        elif action.kind == "career_conversation":
            add("career_talk_in_time_pct", action.due, action.done, action, action.member)
    for kpi, listed in sorted(parts.items()):
        yield from share(kpi, listed, *(PEOPLE if kpi == "career_talk_in_time_pct" else ALL))


def _dealers(feeds: Feeds, who: Who) -> Iterator[Planted]:
    """Shares of dealers in force; over a quarter each one counts once, and reach is that of its last month."""
    contacts: dict[str, set[date]] = defaultdict(set)
    told: dict[str, set[date]] = defaultdict(set)
    plans: dict[str, list[tuple[date, date | None]]] = defaultdict(list)
    for message in feeds.messages:
        if message.dealer:
            contacts[message.dealer].add(local_day(message.sent))
            if message.kind == "feedback":
                told[message.dealer].add(month_of(local_day(message.sent)))
    for attendance in feeds.attendances:
        if attendance.attendee_type == "dealer" and attendance.came:
            contacts[attendance.attendee].add(attendance.day)
    for deal, at, _ in feeds.crm.activities:
        if local_day(at) <= TOLD[-1]:  # later ones are planned
            contacts[deal.dealer_id].add(local_day(at))
    for action in feeds.actions:
        if action.kind == "joint_plan" and not (action.declined and _told(action.done)):
            plans[action.dealer].append((action.agreed, _told(action.done)))
    everybody: dict[str, dict[tuple[str, Subject], set[str]]] = defaultdict(lambda: defaultdict(set))
    reached: dict[str, dict[tuple[str, Subject], set[str]]] = defaultdict(lambda: defaultdict(set))
    begin = {
        "dealer_reach_pct": min(min(days) for days in contacts.values()),
        "feedback_to_dealers_pct": min(min(days) for days in contacts.values()),
        "joint_plan_coverage_pct": min(action.agreed for action in feeds.actions if action.kind == "joint_plan"),
    }
    month = month_of(BEGIN)
    while month < END:
        end = after(month) - timedelta(days=1)
        for dealer_id, tier, last, subjects in _in_force(feeds, who, month, end):
            days = contacts[dealer_id]
            judged = {
                "feedback_to_dealers_pct": month in told[dealer_id],
                "joint_plan_coverage_pct": any(
                    agreed <= end and (done is None or done >= month) for agreed, done in plans[dealer_id]
                ),
            }
            if last == end:
                since = end - timedelta(days=CADENCE.get(tier, 30))
                judged["dealer_reach_pct"] = any(since <= day <= end for day in days)
            for kpi, is_so in judged.items():
                if begin[kpi] > end:
                    continue
                for period, period_end in periods(month):
                    if kpi == "dealer_reach_pct" and period_end != after(month):
                        continue
                    for subject in subjects:
                        everybody[kpi][period, subject].add(dealer_id)
                        if is_so:
                            reached[kpi][period, subject].add(dealer_id)
        month = after(month)
    for kpi, found in sorted(everybody.items()):
        for (period, subject), dealers in sorted(found.items()):
            yield Planted(kpi, period, *subject, Decimal(len(reached[kpi][period, subject])) / len(dealers))


def _in_force(feeds: Feeds, who: Who, month: date, end: date) -> Iterator[tuple[str, str, date, tuple[Subject, ...]]]:
    """Dealers in force on any day of a month: id, tier, the last of these days, and whose they are then."""
    for dealer_id, rows in sorted(feeds.company.by_dealer.items()):
        held = None
        for place, row in enumerate(rows):
            next_from = rows[place + 1].valid_from if place + 1 < len(rows) else date.max
            until_day = min(row.valid_to or date.max, next_from)
            stands = row.status not in ("prospect", "terminated") and max(row.valid_from, row.onboarded) <= end
            if stands and until_day > month:
                held = row, min(end, until_day - timedelta(days=1))
        if held is None:
            continue
        row, last = held
        owners = sorted(
            ((percent, role), who_is)
            for who_is, role, percent in feeds.company.shares(dealer_id, last)
            if feeds.company.employed(who_is, last)
        )
        best = max((rank for rank, _ in owners), default=None)
        owner = min((member for rank, member in owners if rank == best), default=None)
        member = who.member(owner, last)
        named = (
            ("member", owner), ("dealer", dealer_id), ("team", member.team if member else None),
            ("region", row.region), ("company", "company"),
        )  # fmt: skip
        yield dealer_id, row.tier, last, tuple((level, name) for level, name in named if name)
