"""What the sample's plan pays, sale by sale, in exact arithmetic and without the pipeline.

The plan: 1 % of the credited revenue up to 80 % of the quarter's target, 1.5 % up to the target, 2.5 % beyond, filled
in the order of the sales; 5,000.00 for reaching the target. What comes back within its quarter counts less; what comes
back later takes the commission of its sale back, and the bonus where the old quarter's target is missed by it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from sample_company.feeds import Feeds
from sample_company.figures import BANDS, BONUS, Line, half_up, quarter_of

ZERO = Decimal(0)


class Share(NamedTuple):
    """A share of a sale line."""

    transaction_id: str
    line_no: int
    role: str


class Event(NamedTuple):
    """What moves a member's running total in a quarter."""

    day: date
    event_id: str
    event_line: int
    sale: Share
    amount: Decimal


class _Back(NamedTuple):
    """What came back of a sale in a later quarter, negative."""

    quarter: str
    sale: Share
    amount: Decimal


def pay(feeds: Feeds, first: str) -> dict[str, Any]:
    """Quarter -> member -> lines that pay something, and their sum, of the quarters from ``first`` on.

    A line: component, kind, band_no (or None), the quarter that it is earned for, amount in CNY. Beside them the
    member's revenue of the quarter that counts, and the target. Nothing where the sample is too large to keep lines.
    """
    events: dict[tuple[str, str], list[Event]] = defaultdict(list)  # by quarter and member
    back: dict[tuple[str, str], list[_Back]] = defaultdict(list)  # by the sale's quarter and member
    for line in feeds.figures.current.values():
        _place(feeds, line, events, back)

    found: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))

    def add(quarter: str, member: str, component: str, kind: str, amount: Decimal, **more: Any) -> None:
        if amount:
            row = {"component": component, "kind": kind, "band_no": None, "earned_for": quarter, "amount": f"{amount}"}
            found[quarter][member].append(row | more)

    taken: dict[tuple[str, str], Decimal] = defaultdict(Decimal)  # of sales of all quarters
    for quarter, member in sorted(events.keys() | back.keys()):
        target = _target(feeds, member, quarter)
        if target is None or target <= 0:
            continue
        earned, paid, exact = commission(events[quarter, member], target)
        for number, amount in paid.items():
            add(quarter, member, "commission", "earned", amount, band_no=number)
        ratio = sum(paid.values(), ZERO) / exact if exact else ZERO
        left: dict[Share, Decimal] = defaultdict(Decimal)  # of a sale, when its quarter ended
        for event in events[quarter, member]:
            left[event.sale] += event.amount
        for gone in back[quarter, member]:
            if left[gone.sale]:
                taken[gone.quarter, member] += earned[gone.sale] * ratio * gone.amount / left[gone.sale]

        total = sum((event.amount for event in events[quarter, member]), ZERO)
        bonus = BONUS if total >= target else ZERO
        add(quarter, member, "bonus", "earned", bonus, band_no=1)
        for later in sorted({gone.quarter for gone in back[quarter, member]}):
            total += sum((gone.amount for gone in back[quarter, member] if gone.quarter == later), ZERO)
            now = BONUS if total >= target else ZERO
            # The line of a band: where the target is missed by it the band below takes back what was paid.
            add(later, member, "bonus", "earned", now - bonus, band_no=1 if now else 0, earned_for=quarter)
            bonus = now
    so_far: dict[str, Decimal] = defaultdict(Decimal)  # a quarter has the difference in cents that it makes
    for (quarter, member), amount in sorted(taken.items()):
        before, so_far[member] = so_far[member], so_far[member] + amount
        add(quarter, member, "commission", "reversal", half_up(so_far[member]) - half_up(before))
    for member, day, amount in feeds.adjustments:
        add(quarter_of(day), member, "adjustment", "adjustment", amount)
    return {
        quarter: {
            member: {
                "base": f"{sum((event.amount for event in events[quarter, member]), ZERO)}",
                "target": f"{_target(feeds, member, quarter)}",
                "lines": lines,
                "amount": f"{sum((Decimal(line['amount']) for line in lines), ZERO)}",
            }
            for member, lines in sorted(members.items())
        }
        for quarter, members in sorted(found.items())
        if quarter >= first
    }


def _place(
    feeds: Feeds,
    line: Line,
    events: dict[tuple[str, str], list[Event]],
    back: dict[tuple[str, str], list[_Back]],
) -> None:
    """A line's shares: into its quarter, or to what came back of an earlier one."""
    figures = feeds.figures
    original = None
    if line.original_id is not None and line.original_line is not None:
        original = figures.current.get((line.original_id, line.original_line))
    sold = original or line
    for member, role, percent in figures.credits(sold):
        if member == "unassigned" or not feeds.company.employed(member, sold.day):
            continue
        amount = figures.convert(sold.net * percent, sold.currency, sold.day, "plan").scaleb(-2)
        sale = Share(sold.transaction_id, sold.line_no, role)
        quarter = quarter_of(sold.day)
        if original is None:
            events[quarter, member].append(Event(line.day, line.transaction_id, line.line_no, sale, amount))
            continue
        part = Decimal(line.net) / original.net
        if quarter_of(line.day) == quarter:
            events[quarter, member].append(Event(line.day, line.transaction_id, line.line_no, sale, amount * part))
        else:
            back[quarter, member].append(_Back(quarter_of(line.day), sale, amount * part))


def _target(feeds: Feeds, member: str, quarter: str) -> Decimal | None:
    months = [value for (who, month), value in feeds.targets.items() if who == member and quarter_of(month) == quarter]
    return sum(months, ZERO) if months else None


def commission(events: list[Event], target: Decimal) -> tuple[dict[Share, Decimal], dict[int, Decimal], Decimal]:
    """Exact commission by sale, rounded commission by band, and the exact sum, of one member and quarter.

    A return within the quarter lowers what its sale earned.
    """
    earned: dict[Share, Decimal] = defaultdict(Decimal)
    bands: dict[int, Decimal] = defaultdict(Decimal)
    running = ZERO
    for event in sorted(events):
        after = running + event.amount
        for number, (low, high, rate) in enumerate(BANDS, start=1):
            bottom, top = low * target, None if high is None else high * target

            def part(value: Decimal, bottom: Decimal = bottom, top: Decimal | None = top) -> Decimal:
                return max(ZERO, (value if top is None else min(value, top)) - bottom)

            made = (part(after) - part(running)) * rate
            bands[number] += made
            earned[event.sale] += made
        running = after
    return earned, {number: half_up(amount) for number, amount in bands.items()}, sum(bands.values(), ZERO)
