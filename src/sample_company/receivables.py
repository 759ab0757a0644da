"""Who has paid what: payments spread over invoices one after the other, in whole numbers and without SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple


class Bill(NamedTuple):
    """An invoice; amounts by line in the smallest unit of its currency that is counted."""

    document: str
    dealer: str
    currency: str
    day: date
    lines: tuple[tuple[int, int], ...]


class Return(NamedTuple):
    """Goods or credit given back for a line; the amount is positive."""

    number: str
    document: str
    line: int
    day: date
    amount: int


class Receipt(NamedTuple):
    """Money that came in, or went back (negative), for a document or on account (None)."""

    number: str
    document: str | None
    dealer: str | None
    currency: str
    day: date
    amount: int


class Paid(NamedTuple):
    """What more is paid of a line, by a payment or by a return that frees what was paid."""

    cause: str
    number: str
    document: str
    line: int
    day: date
    amount: int


def allocate(
    bills: Iterable[Bill],
    returns: Iterable[Return],
    receipts: Iterable[Receipt],
    oldest_first: bool = True,
    coin: int = 1,
) -> list[Paid]:
    """Spread receipts over the lines of bills.

    What names a document pays that one. What names none pays the oldest documents of its dealer and currency that
    named payments leave open, and a refund of it takes the money back from where it went last. The lines of a document
    share what it received by what is to be paid for them on that day.

    Args:
        bills: Invoices.
        returns: What was given back of their lines, in order.
        receipts: Payments and refunds.
        oldest_first: Whether money on account pays anything.
        coin: Into what parts of this many units an amount may be split, where all amounts are multiples of it.
    """
    by_document = {bill.document: bill for bill in bills}
    given_back = _limited(by_document, returns)
    movements: dict[str, list[tuple[date, int, str, int]]] = defaultdict(list)  # day, order, number, amount
    on_account: dict[tuple[str, str], list[Receipt]] = defaultdict(list)
    for receipt in receipts:
        bill = by_document.get(receipt.document or "")
        if bill is not None and bill.currency == receipt.currency:
            movements[bill.document].append((max(receipt.day, bill.day), 1, receipt.number, receipt.amount))
        elif receipt.document is None and receipt.dealer is not None and oldest_first:
            on_account[receipt.dealer, receipt.currency].append(receipt)
    open_: dict[str, int] = {}
    for document, bill in by_document.items():
        payable = sum(amount for _, amount in bill.lines) - sum(back.amount for back in given_back[document])
        open_[document] = max(0, payable - max(0, sum(amount for *_, amount in movements[document])))
    for (dealer, currency), money in on_account.items():
        mine = [bill for bill in by_document.values() if (bill.dealer, bill.currency) == (dealer, currency)]
        for document, day, number, amount in _oldest_first(mine, open_, money):
            movements[document].append((day, 1, number, amount))
    return [
        row
        for document, moved in movements.items()
        if moved
        for row in _by_line(by_document[document], given_back[document], moved, coin)
    ]


def _limited(bills: dict[str, Bill], returns: Iterable[Return]) -> dict[str, list[Return]]:
    """Returns by document, each cut at what is left of its line and dated not before the invoice."""
    left = {(bill.document, line): max(0, amount) for bill in bills.values() for line, amount in bill.lines}
    found: dict[str, list[Return]] = defaultdict(list)
    moved = [back._replace(day=max(back.day, bills[back.document].day)) for back in returns if back.document in bills]
    for back in sorted(moved, key=lambda back: (back.day, back.number)):
        part = min(back.amount, left.get((back.document, back.line), 0))
        left[back.document, back.line] = left.get((back.document, back.line), 0) - part
        found[back.document].append(back._replace(amount=part))
    return found


def _oldest_first(bills: list[Bill], open_: dict[str, int], money: list[Receipt]) -> list[tuple[str, date, str, int]]:
    """Document, day, payment and amount of what money on account pays, payment by payment."""
    waiting = sorted((bill for bill in bills if open_[bill.document] > 0), key=lambda bill: (bill.day, bill.document))
    rest = {bill.document: open_[bill.document] for bill in waiting}
    paid: list[tuple[Bill, int]] = []  # in the order in which it went
    spare = 0  # money that found nothing to pay; below zero: given back without having come
    moved: dict[tuple[str, str], int] = defaultdict(int)
    days: dict[tuple[str, str], date] = {}

    def note(bill: Bill, receipt: Receipt, amount: int) -> None:
        moved[bill.document, receipt.number] += amount
        days[bill.document, receipt.number] = max(receipt.day, bill.day)

    for receipt in sorted(money, key=lambda receipt: (receipt.day, receipt.number)):
        left = receipt.amount
        if left > 0:
            covered = min(left, max(0, -spare))
            spare, left = spare + covered, left - covered
            for bill in waiting:
                part = min(left, rest[bill.document])
                if part:
                    rest[bill.document] -= part
                    left -= part
                    paid.append((bill, part))
                    note(bill, receipt, part)
            spare += left
        else:
            back = -left
            part = min(back, max(0, spare))
            spare, back = spare - part, back - part
            while back and paid:
                bill, amount = paid.pop()
                part = min(back, amount)
                back -= part
                rest[bill.document] += part
                if amount > part:
                    paid.append((bill, amount - part))
                note(bill, receipt, -part)
            spare -= back
    return [(document, days[document, number], number, amount) for (document, number), amount in moved.items()]


def _by_line(bill: Bill, returns: Sequence[Return], moved: list[tuple[date, int, str, int]], coin: int) -> list[Paid]:
    """What each movement, and each return among them, changes of what the lines of a document have got."""
    steps = moved + [(back.day, 0, back.number, 0) for back in returns]
    amounts = [*(amount for _, amount in bill.lines), *(back.amount for back in returns), *(step[3] for step in moved)]
    part = coin if all(amount % coin == 0 for amount in amounts) else 1
    before = dict.fromkeys((line for line, _ in bill.lines), 0)
    received, rows = 0, []
    for day, order, number, amount in sorted(steps):
        received += amount
        payable = {
            line: net - sum(back.amount for back in returns if back.line == line and back.day <= day)
            for line, net in sorted(bill.lines)
        }
        whole = sum(payable.values())
        paid = min(max(0, received), max(0, whole))
        running = shared = 0
        for line, share in payable.items():
            running += share
            until = running if paid == whole else _divided(paid * running, whole * part) * part
            if (change := until - shared - before[line]) and paid:
                rows.append(Paid("payment" if order else "return", number, bill.document, line, day, change))
            elif not paid and before[line]:
                rows.append(Paid("payment" if order else "return", number, bill.document, line, day, -before[line]))
            before[line] = until - shared if paid else 0
            shared = until
    return rows


def _divided(number: int, by: int) -> int:
    """Rounded half up, away from zero."""
    if number == 0:
        return 0
    sign = -1 if (number < 0) != (by < 0) else 1
    return sign * ((2 * abs(number) + abs(by)) // (2 * abs(by)))
