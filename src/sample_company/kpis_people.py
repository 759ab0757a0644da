"""What the KPIs of training, surveys, events, careers and reviews must be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from sample_company.company import END, START, Dealer, Member
from sample_company.feeds import Feeds
from sample_company.figures import EIGHT, Planted, half_up
from sample_company.masters import COURSES

# Everything here is told by then; the calendar begins in 2023.
FIRST_MONTH = date(2023, 1, 1)
FEEDBACK_DAYS = 30
TEAM_EVENTS = ("exchange", "training", "team_building")

Subject = tuple[str, str]


class Part(NamedTuple):
    """What one event adds to a KPI of its subjects: above and below the line."""

    month: date
    subjects: tuple[Subject, ...]
    top: Decimal | Fraction | int | None  # None: should be known and is not
    bottom: Decimal | Fraction | int = 0
    known: date | None = None  # the month from which what stands above counts, if it is a later one


def month_of(day: date) -> date:
    """First day of the month."""
    return day.replace(day=1)


def after(month: date) -> date:
    """The month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months() -> Iterator[date]:
    """All months of the figures."""
    month = FIRST_MONTH
    while month < END:
        yield month
        month = after(month)


def seen_until(feeds: Feeds) -> date:
    """The day of the last file: what is due on it, or later, is not due yet."""
    return max(date.fromisoformat(file.received) for file in feeds.ledger.files)


def periods(month: date) -> list[tuple[str, date]]:
    """The month and the quarter that hold a month, each with the first day after it."""
    quarter = (month.month + 2) // 3
    end = date(month.year + quarter // 4, quarter * 3 % 12 + 1, 1)
    return [(f"{month:%Y-M%m}", after(month)), (f"{month.year}-Q{quarter}", end)]


def _summed(parts: Iterable[Part], balance: bool) -> dict[tuple[str, Subject], list[Any]]:
    """(period, subject) -> sum above the line, sum below it, whether something is not known."""
    sums: dict[tuple[str, Subject], list[Any]] = defaultdict(lambda: [Fraction(0), Fraction(0), False])
    for part in parts:
        if not FIRST_MONTH <= part.month < END:
            continue
        for period, end in periods(part.month):
            if balance and after(part.month) != end:
                continue
            counts = part.known is None or part.known < end
            for subject in part.subjects:
                entry = sums[period, subject]
                entry[0] += Fraction(part.top or 0) if counts else 0
                entry[1] += Fraction(part.bottom)
                entry[2] |= part.top is None
    return sums


def _decimal(value: Fraction) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)


def total(kpi: str, parts: Iterable[Part], *levels: str, balance: bool = False) -> Iterator[Planted]:
    """The sum of what stands above the line; none with a hole in it."""
    for (period, (level, name)), (top, _, hole) in sorted(_summed(parts, balance).items()):
        if level in levels:
            yield Planted(kpi, period, level, name, None if hole else _decimal(top))


def share(kpi: str, parts: Iterable[Part], *levels: str, balance: bool = False, factor: int = 1) -> Iterator[Planted]:
    """What stands above the line by what stands below it; a mean where each part has 1 below."""
    for (period, (level, name)), (top, bottom, hole) in sorted(_summed(parts, balance).items()):
        if level in levels:
            value = None if hole or bottom == 0 else _decimal(factor * top / bottom)
            yield Planted(kpi, period, level, name, value)


def different(kpi: str, things: Iterable[tuple[date, tuple[Subject, ...], str]], *levels: str) -> Iterator[Planted]:
    """The number of different things of each subject."""
    found: dict[tuple[str, Subject], set[str]] = defaultdict(set)
    for month, subjects, thing in things:
        for period, _ in periods(month):
            for subject in subjects:
                found[period, subject].add(thing)
    for (period, (level, name)), of_subject in sorted(found.items()):
        if level in levels:
            yield Planted(kpi, period, level, name, Decimal(len(of_subject)))


class Who:
    """Whose an event is, by the masters of its day."""

    def __init__(self, feeds: Feeds) -> None:
        rows: dict[str, dict[date, Member]] = defaultdict(dict)
        for row in feeds.company.members + feeds.company.late_members:
            rows[row.member_id][row.valid_from] = row
        self.windows = {who: [found[day] for day in sorted(found)] for who, found in rows.items()}
        self.company = feeds.company

    def member(self, member_id: str | None, day: date) -> Member | None:
        held: Member | None = None
        for row in self.windows.get(member_id or "", ()):
            if row.valid_from <= day:
                held = row
        return held if held is not None and (held.valid_to is None or day < held.valid_to) else None

    def dealer(self, dealer_id: str | None, day: date) -> Dealer | None:
        held: Dealer | None = None
        for row in self.company.by_dealer.get(dealer_id or "", ()):
            if row.valid_from <= day:
                held = row
        return held

    def subjects(
        self, day: date, member_id: str | None = None, dealer_id: str | None = None, *, dealers_region: bool = False
    ) -> tuple[Subject, ...]:
        member, dealer = self.member(member_id, day), self.dealer(dealer_id, day)
        region = dealer.region if dealer else None if dealers_region else member.region if member else None
        named = (
            ("member", member_id), ("dealer", dealer_id), ("team", member.team if member else None),
            ("region", region), ("company", "company"),
        )  # fmt: skip
        return tuple((level, name) for level, name in named if name)

    def owners_team(self, dealer_id: str, day: date) -> str | None:
        """The team of the owner with the largest share who is still there, or else of such a co-owner."""
        owners = [
            (role != "owner", -split, who)
            for who, role, split in self.company.shares(dealer_id, day)
            if role in ("owner", "co_owner") and self.company.employed(who, day)
        ]
        member = self.member(min(owners)[2], day) if owners else None
        return member.team if member else None

    def still_there(self, day: date, member_id: str | None, subjects: tuple[Subject, ...]) -> tuple[Subject, ...]:
        """Without the member and the team, if the member has left by the day."""
        if member_id is None or self.company.employed(member_id, day):
            return subjects
        return tuple(subject for subject in subjects if subject[0] not in ("member", "team"))

    def at_end(self, last_day: date) -> list[Member]:
        """Rows of those employed on a day."""
        rows = [self.member(who, last_day) for who in sorted(self.windows)]
        return [row for row in rows if row and row.hired <= last_day and (row.left is None or last_day < row.left)]


ALL = ("member", "dealer", "team", "region", "company")
PEOPLE = ("member", "team", "region", "company")
GROUPS = ("team", "region", "company")


def training_and_surveys(feeds: Feeds) -> Iterator[Planted]:
    """KPIs under the headings Training and Surveys; of dealers, who are many, by quarter."""
    who = Who(feeds)
    for practice in (_trainings_due, _trainings_done, _coverage, _surveys):
        for row in practice(feeds, who):
            if row.subject_type != "dealer" or "Q" in row.period:
                yield row


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _trainings_due(feeds: Feeds, who: Who) -> Iterator[Planted]:
    completion, on_time, staff = [], [], []
    seen = seen_until(feeds)
    for record in feeds.trainings:
        due, done = date.fromisoformat(record["dueOn"]), _day(record["completedOn"])
        month, member, dealer = month_of(due), record["memberId"], record["dealerId"]
        leave = feeds.company.employment[member][1] if member else None
        if due >= seen or (leave is not None and due >= leave):
            continue  # not due yet; and who has left has no duty any more
        subjects = who.subjects(due, member, dealer)
        known = max(month, month_of(done)) if done else month
        completion.append(Part(month, subjects, int(done is not None), 1, known))
        on_time.append(Part(month, subjects, int(done is not None and done <= due), 1))
        if dealer:
            team = who.owners_team(dealer, due)
            mine = (*subjects, *((("team", team),) if team else ()))
            staff.append(Part(month, mine, int(done is not None), 1, known))
    yield from share("training_completion_pct", completion, *ALL)
    yield from share("training_on_time_pct", on_time, *ALL)
    yield from share("dealer_staff_training_pct", staff, *ALL)


def _trainings_done(feeds: Feeds, who: Who) -> Iterator[Planted]:
    courses = {code: (topic, Decimal(hours)) for code, _, topic, _, hours in COURSES}
    parts: dict[str, list[Part]] = defaultdict(list)
    for record in feeds.trainings:
        done = _day(record["completedOn"])
        if done is None:
            continue
        month, member = month_of(done), record["memberId"]
        subjects = who.subjects(done, member, record["dealerId"])
        leave = feeds.company.employment[member][1] if member else None
        if leave is not None and done >= leave:  # who has left by then is of no team any more
            subjects = tuple(subject for subject in subjects if subject[0] not in ("member", "team"))
        topic, hours = courses[record["courseId"]]
        cost: Decimal | None = None  # before the first rate nothing can be converted
        if record["currency"] == "CNY" or done >= START:
            rate = feeds.company.rates.rate("market", record["currency"], done)
            cost = half_up(record["cost"] * rate, EIGHT)
        parts["hours"].append(Part(month, subjects, hours))
        parts[topic].append(Part(month, subjects, hours))
        parts["passed"].append(Part(month, subjects, int(record["passed"]), 1))
        parts["score"].append(Part(month, subjects, record["score"], 1))
        parts["cost"].append(Part(month, subjects, cost, hours))
    yield from total("training_hours", parts["hours"], *ALL)
    for topic in ("product", "market", "selling", "service"):
        yield from total(f"training_hours_{topic}", parts[topic], *ALL)
    yield from share("training_pass_pct", parts["passed"], *ALL)
    yield from share("training_score_mean", parts["score"], *ALL)
    yield from total("training_cost_amount", parts["cost"], *ALL)
    yield from share("training_cost_per_hour_amount", parts["cost"], *ALL)


def _coverage(feeds: Feeds, who: Who) -> Iterator[Planted]:
    mandatory = {code for code, _, _, is_mandatory, _ in COURSES if is_mandatory}
    taken: dict[tuple[str | None, str | None, str], list[tuple[date, date | None]]] = defaultdict(list)
    for record in feeds.trainings:
        if record["courseId"] in mandatory:
            thing = record["courseId"] if record["memberId"] else record["recordId"]
            passed = _day(record["completedOn"]) if record["passed"] else None
            taken[record["memberId"], record["dealerId"], thing].append((date.fromisoformat(record["dueOn"]), passed))
    parts = []
    seen = seen_until(feeds)
    for month in months():
        last = after(month) - timedelta(days=1)
        for (member, dealer, _), rows in taken.items():
            if min(due for due, _ in rows) > min(last, seen - timedelta(days=1)):
                continue
            held = who.dealer(dealer, last)
            if (who.member(member, last) is None) if member else (held is None or held.status != "active"):
                continue
            done = any(day is not None and day <= last for _, day in rows)
            parts.append(Part(month, who.subjects(last, member, dealer), int(done), 1))
    yield from share("mandatory_coverage_pct", parts, *ALL, balance=True)


def _surveys(feeds: Feeds, who: Who) -> Iterator[Planted]:
    parts: dict[str, list[Part]] = defaultdict(list)
    for survey in feeds.surveys:
        sent, kind, score = date.fromisoformat(survey["sentOn"]), survey["survey"], survey["score"]
        low, high, month = survey["scaleMin"], survey["scaleMax"], month_of(sent)
        if kind == "team_pulse":
            asked = who.member(survey["respondent"], sent)
            subjects: tuple[Subject, ...] = (("company", "company"), *((("team", asked.team),) if asked else ()))
            parts["pulse"].append(Part(month, subjects, score or 0, int(score is not None)))
            continue
        rated = survey["memberId"]
        if rated is not None and not feeds.company.employed(rated, sent):
            rated = None  # who has left is not rated any more
        subjects = who.subjects(sent, rated, survey["dealerId"], dealers_region=True)
        answered = int(score is not None)
        of_five = Fraction(4 * (score - low), high - low) + 1 if score is not None else 0
        parts["response"].append(Part(month, subjects, answered, 1))
        if kind == "csat":
            parts["csat_pct"].append(Part(month, subjects, int(of_five >= 4), answered))
            parts["csat_mean"].append(Part(month, subjects, of_five, answered))
        elif kind == "ces":
            of_seven = Fraction(6 * (score - low), high - low) + 1 if score is not None else 0
            parts["ces"].append(Part(month, subjects, of_seven, answered))
        elif kind == "dealer_needs":
            parts["needs"].append(Part(month, subjects, of_five, answered))
        elif kind == "nps":
            weight = 0 if score is None else 1 if score >= 9 else -1 if score <= 6 else 0
            parts["nps"].append(Part(month, subjects, weight, answered))
    yield from share("survey_response_pct", parts["response"], *ALL)
    yield from share("csat_pct", parts["csat_pct"], *ALL)
    yield from share("csat_mean", parts["csat_mean"], *ALL)
    yield from share("ces_mean", parts["ces"], *ALL)
    yield from share("dealer_needs_mean", parts["needs"], *ALL)
    yield from share("nps", parts["nps"], *ALL, factor=100)
    yield from share("team_pulse_mean", parts["pulse"], "team", "company")


def people(feeds: Feeds) -> Iterator[Planted]:
    """KPIs under the headings Events, People and careers, and Reviews."""
    who = Who(feeds)
    yield from _events(feeds, who)
    yield from _employment(feeds, who)
    yield from _skills(feeds, who)
    yield from _reviews(feeds, who)


def _events(feeds: Feeds, who: Who) -> Iterator[Planted]:
    took_part, followed, rated = [], [], []
    came: dict[tuple[date, str, str], int] = defaultdict(int)
    for attendance in feeds.attendances:
        if attendance.kind not in TEAM_EVENTS:
            continue
        is_member = attendance.attendee_type == "member"
        member, dealer = (attendance.attendee, None) if is_member else (None, attendance.attendee)
        mine = who.still_there(attendance.day, member, who.subjects(attendance.day, member, dealer))
        held = who.still_there(attendance.day, attendance.organiser, who.subjects(attendance.day, attendance.organiser))
        month = month_of(attendance.day)
        if attendance.came:
            took_part.append((month, mine, attendance.event_id))
            rating = attendance.rating
            rated.append(Part(month, held, rating or 0, int(rating is not None)))
        if attendance.invited:
            followed.append(Part(month, mine, int(attendance.came), 1))
        if attendance.kind == "exchange":
            came[attendance.day, attendance.organiser, attendance.event_id] += attendance.came
    shared = [
        (month_of(day), who.still_there(day, organiser, who.subjects(day, organiser)), event_id)
        for (day, organiser, event_id), count in came.items()
        if count >= 3
    ]
    yield from different("team_events", took_part, *ALL)
    yield from share("event_attendance_pct", followed, *ALL)
    yield from share("event_rating_mean", rated, *PEOPLE)
    yield from different("knowledge_shared", shared, *PEOPLE)


def _employment(feeds: Feeds, who: Who) -> Iterator[Planted]:
    heads, in_grade, turnover = [], [], []
    of_month: dict[date, list[Member]] = {}
    for month in months():
        last = after(month) - timedelta(days=1)
        of_month[month] = who.at_end(last)
        for row in of_month[month]:
            subjects = (("member", row.member_id), ("team", row.team), ("region", row.region), ("company", "company"))
            heads.append(Part(month, subjects, 1))
            changes = [day for member, day, _ in feeds.promotions if member == row.member_id and day <= last]
            since = max([row.hired, *changes])
            full = (after(month).year - since.year) * 12 + after(month).month - since.month - (since.day > 1)
            in_grade.append(Part(month, subjects, full, 1))
    left = {
        (row.member_id, row.left, row.team, row.region) for rows in who.windows.values() for row in rows if row.left
    }
    for place, month in enumerate(of_month):
        if place < 11:
            continue
        year = list(of_month)[place - 11 : place + 1]
        for row in (row for held in year for row in of_month[held]):
            turnover.append(Part(month, (("team", row.team), ("region", row.region), ("company", "company")), 0, 1))
        for _, day, team, region in left:
            if month_of(day) in year:
                turnover.append(Part(month, (("team", team), ("region", region), ("company", "company")), 1))
    promoted = [Part(month_of(day), who.subjects(day, member), 1) for member, day, _ in feeds.promotions]
    yield from total("headcount", heads, *GROUPS, balance=True)
    yield from share("months_in_grade", in_grade, *PEOPLE, balance=True)
    yield from share("turnover_pct", turnover, *GROUPS, balance=True, factor=12)
    yield from total("promotions", promoted, *PEOPLE)


def _skills(feeds: Feeds, who: Who) -> Iterator[Planted]:
    parts = []
    for skill in feeds.skills:
        year_before = skill.day.replace(year=skill.day.year - 1)
        earlier = [
            (other.day, other.level)
            for other in feeds.skills
            if (other.member_id, other.skill) == (skill.member_id, skill.skill) and other.day <= year_before
        ]
        if earlier:
            parts.append(
                Part(
                    month_of(skill.day),
                    who.subjects(skill.day, skill.member_id),
                    25 * (skill.level - max(earlier)[1]),
                    1,
                )
            )
    yield from share("skill_growth_points", parts, *PEOPLE)


def _reviews(feeds: Feeds, who: Who) -> Iterator[Planted]:
    peers, feedback = [], []
    seen = seen_until(feeds)
    for member, quarter, score in feeds.peer_ratings:
        end = date(int(quarter[:4]), 3 * int(quarter[-1]), 28)
        last = after(month_of(end)) - timedelta(days=1)
        of_hundred = 25 * (score - 1) if score is not None else 0
        peers.append(Part(month_of(end), who.subjects(last, member), of_hundred, int(score is not None)))
    for (member, quarter), delivered in feeds.reviews.items():
        last = after(date(int(quarter[:4]), 3 * int(quarter[-1]), 1)) - timedelta(days=1)
        due = last + timedelta(days=FEEDBACK_DAYS)
        if due >= seen:
            continue
        in_time = int(delivered is not None and delivered <= due)
        feedback.append(Part(month_of(due), who.subjects(last, member), in_time, 1))
    yield from share("peer_rating_mean", peers, *PEOPLE)
    yield from share("feedback_in_time_pct", feedback, *GROUPS)
