"""Payments spread over invoices: the marts against a loop that spreads one after the other, over many random dealers."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.dbt import company, warehouse

from sample_company.receivables import Bill, Paid, Receipt, Return, allocate

pytestmark = pytest.mark.integration

FIRST, LAST = date(2025, 6, 1), date(2026, 3, 31)
WORLDS = 300


def day(rng: random.Random) -> date:
    """Days repeat often, so that the order within a day matters."""
    return FIRST + timedelta(days=5 * rng.randrange((LAST - FIRST).days // 5))


def world(number: int) -> tuple[list[Bill], list[Return], list[Receipt]]:
    """A dealer with some invoices, returns and payments; amounts in ten-thousandths, mostly whole cents."""
    rng = random.Random(f"receivables {number}")
    dealer, unit = f"D{number}", 1 if rng.random() < 0.1 else 100

    def amount(most: int) -> int:
        return unit * rng.randint(1, most) if rng.random() < 0.8 else 10_000 * rng.randint(1, 100)

    bills, returns, receipts = [], [], []
    for place in range(rng.randint(1, 5)):
        lines = [amount(30_000) for _ in range(rng.randint(1, 4))]
        if len(lines) > 2 and rng.random() < 0.3:
            lines[1] = rng.choice((0, -min(lines) // 2 // unit * unit))
        currency = "CNY" if rng.random() < 0.8 else "USD"
        numbered = tuple(enumerate(lines, start=1))
        bills.append(Bill(f"T{number}-{place}", dealer, currency, day(rng), numbered))
    for place in range(rng.choice((0, 0, 1, 2, 4))):
        bill = rng.choice(bills)
        line, net = rng.choice(bill.lines)
        if net > 0:
            back = net if rng.random() < 0.4 else amount(net // unit + 1)
            returns.append(Return(f"R{number}-{place}/1", bill.document, line, day(rng), back))
    for place in range(rng.randint(1, 7)):
        bill = rng.choice(bills)
        whole = sum(net for _, net in bill.lines)
        named = rng.random() < 0.55
        paid = whole if whole > 0 and rng.random() < 0.4 else amount(60_000)
        if rng.random() < 0.25:
            paid = -paid
        currency = bill.currency if rng.random() < 0.9 else "USD"
        receipts.append(
            Receipt(f"Y{number}-{place}", bill.document if named else None, dealer, currency, day(rng), paid)
        )
    return bills, returns, receipts


def money(amount: int) -> Decimal:
    return Decimal(amount).scaleb(-4)


def rows(bills: list[Bill], returns: list[Return], receipts: list[Receipt]) -> dict[str, list[dict[str, Any]]]:
    by_document = {bill.document: bill for bill in bills}
    sales = [
        company.sale(
            bill.document, line, bill.day, bill.dealer, "P1", f"{money(net)}", None, currency_code=bill.currency
        )
        for bill in bills
        for line, net in bill.lines
    ]
    sales += [
        company.sale(
            one.number.removesuffix("/1"), 1, one.day, by_document[one.document].dealer, "P1", f"{-money(one.amount)}",
            None, transaction_type="return", original_transaction_id=one.document, original_line_no=one.line,
            currency_code=by_document[one.document].currency,
        )
        for one in returns
    ]  # fmt: skip
    payments = [
        {
            "payment_id": one.number, "transaction_id": one.document, "dealer_id": one.dealer, "payment_date": one.day,
            "payment_type": "payment" if one.amount > 0 else "refund", "amount": money(one.amount),
            "currency_code": one.currency,
        }
        for one in receipts
    ]  # fmt: skip
    return {"sales": sales, "payments": payments}


def test_payments_are_spread_as_one_after_the_other(tmp_path: Path) -> None:
    worlds = [world(number) for number in range(WORLDS)]
    bills, returns, receipts = ([one for made in worlds for one in made[part]] for part in range(3))
    path = warehouse.make(
        tmp_path,
        rows(bills, returns, receipts),
        {**company.COMPANY, "receivables_from": "2025-01-01"},
    )
    warehouse.build(
        path,
        "--select",
        "+fct_payment",
        "+fct_invoice",
        "--exclude",
        "test_type:unit",
        "--indirect-selection",
        "cautious",
    )
    wanted = allocate(bills, returns, receipts, coin=100)
    with duckdb.connect(str(path), read_only=True) as con:
        found = {
            Paid(cause, number, document, line, when, int(amount.scaleb(4)))
            for cause, number, document, line, when, amount in con.execute(
                "select cause, cause_id, transaction_id, line_no, allocation_date, amount from marts.fct_payment_allocation"
            ).fetchall()
        }
        on_account = dict(con.execute("select payment_id, on_account_amount from marts.fct_payment").fetchall())
    assert found - set(wanted) == set()
    assert set(wanted) - found == set()
    assert len(wanted) == len(found) > 5 * len(worlds)
    allocated = {one.number: 0 for one in receipts}
    for one in wanted:
        if one.cause == "payment":
            allocated[one.number] += one.amount
    assert on_account == {one.number: money(one.amount - allocated[one.number]) for one in receipts}
