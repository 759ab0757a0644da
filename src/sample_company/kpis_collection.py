"""What was collected of the invoices due, what is overdue, and how many days' sales are open."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from sample_company.feeds import Feeds
from sample_company.figures import DOCUMENTS_SINCE, Line, Planted
from sample_company.receivables import Bill, Paid, Receipt, Return, allocate
from sample_company.sales import due_day

PERIODS = {
    "2026-M07": (date(2026, 7, 1), date(2026, 8, 1)),
    "2026-M08": (date(2026, 8, 1), date(2026, 9, 1)),
    "2026-M09": (date(2026, 9, 1), date(2026, 10, 1)),
    "2026-Q3": (date(2026, 7, 1), date(2026, 10, 1)),
}
Subject = tuple[str, str]


def planted(feeds: Feeds) -> Iterator[Planted]:
    """Collection of the months and the quarter in which payments were delivered."""
    lines = [line for line in feeds.figures.lines_since.values() if line.kind == "invoice"]
    returns = _returns(feeds)
    paid: dict[tuple[str, int], list[Paid]] = defaultdict(list)
    for row in allocate(_bills(lines), returns, _receipts(feeds)):
        paid[row.document, row.line].append(row)
    given_back: dict[tuple[str, int], list[Return]] = defaultdict(list)
    for back in returns:
        given_back[back.document, back.line].append(back)
    for period, (start, end) in PERIODS.items():
        due: dict[Subject, list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
        overdue: dict[Subject, Fraction] = defaultdict(Fraction)
        receivable: dict[Subject, Fraction] = defaultdict(Fraction)
        for line in lines:
            if line.day >= end:
                continue
            key = line.transaction_id, line.line_no
            left = line.net - min(line.net, sum(back.amount for back in given_back[key] if back.day < end))
            received = sum(row.amount for row in paid[key] if row.day < end)
            day = due_day(line)
            assert day is not None
            then, now = (
                Fraction(feeds.company.rates.rate("market", line.currency, when)) / 100
                for when in (line.day, end - timedelta(days=1))
            )
            for subject, share in _subjects(feeds, line):
                if start <= day < end:
                    due[subject][0] += received * then * share
                    due[subject][1] += left * then * share
                if left > received:
                    receivable[subject] += (left - received) * now * share
                    overdue[subject] += (left - received) * now * share if day < end else 0
        for subject, (part, whole) in sorted(due.items()):
            yield Planted("collection_pct", period, *subject, _decimal(part / whole) if whole > 0 else None)
        for subject, amount in sorted(overdue.items()):
            yield Planted("overdue_amount", period, *subject, _decimal(amount))
        yield from _days_outstanding(feeds, period, end, receivable)


def _days_outstanding(feeds: Feeds, period: str, end: date, receivable: dict[Subject, Fraction]) -> Iterator[Planted]:
    """None before invoices were followed for 90 days."""
    first = end - timedelta(days=90)
    if first < DOCUMENTS_SINCE:
        yield Planted("days_sales_outstanding", period, "company", "company", None)
        return
    revenue: dict[Subject, Fraction] = defaultdict(Fraction)

    def add(subject: Subject, day: date, currency: str, cents: Fraction) -> None:
        if first <= day < end:
            revenue[subject] += cents * Fraction(feeds.company.rates.rate("market", currency, day)) / 100

    for (day, currency), (net, _) in feeds.figures.by_day.items():
        add(("company", "company"), day, currency, Fraction(net))
    for (day, currency, region), net in feeds.figures.by_region.items():
        add(("region", region), day, currency, Fraction(net))
    for (day, currency, member), percent_cents in feeds.figures.by_member.items():
        add(("member", member), day, currency, Fraction(percent_cents, 100))
    for subject, sold in sorted(revenue.items()):
        value = _decimal(90 * receivable[subject] / sold) if sold > 0 else None
        yield Planted("days_sales_outstanding", period, *subject, value)


def _subjects(feeds: Feeds, line: Line) -> Iterator[tuple[Subject, Fraction]]:
    whole = Fraction(1)
    yield ("company", "company"), whole
    yield ("dealer", line.dealer_id), whole
    yield ("region", feeds.figures.region(line.dealer_id, line.day)), whole
    for member, _, percent in feeds.figures.credits(line):
        yield ("member", member), Fraction(percent, 100)


def _bills(lines: list[Line]) -> list[Bill]:
    by_document: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        by_document[line.transaction_id].append(line)
    return [
        Bill(number, rows[0].dealer_id, rows[0].currency, rows[0].day, tuple((row.line_no, row.net) for row in rows))
        for number, rows in by_document.items()
    ]


def _returns(feeds: Feeds) -> list[Return]:
    return [
        Return(f"{line.transaction_id}/{line.line_no}", line.original_id, line.original_line, line.day, -line.net)
        for line in feeds.figures.lines_since.values()
        if line.kind != "invoice" and line.original_id is not None and line.original_line is not None
    ]


def _receipts(feeds: Feeds) -> list[Receipt]:
    """Payments as they are to be understood: a refund of a payment is for the document of that payment."""
    return [
        receipt._replace(document=receipt.document or feeds.receipts[original][0].document) if original else receipt
        for receipt, original in feeds.receipts.values()
    ]


def _decimal(value: Fraction) -> Decimal:
    """With 8 decimals, rounded half up."""
    whole = 2 * abs(value.numerator) * 10**8 + value.denominator
    digits = Decimal(whole // (2 * value.denominator)).scaleb(-8)
    return -digits if value < 0 else digits
