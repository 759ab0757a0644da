"""Rows of a company small enough to reckon with by hand. The tests beside it hold the figures."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

Rows = list[dict[str, Any]]

COMPANY = {
    "name": "Hand-made Company", "reporting_currency": "CNY", "calendar_start": "2025-01-01", "min_group_size": 2,
}  # fmt: skip

START = date(2025, 1, 1)


def jan(day: int) -> date:
    return date(2026, 1, day)


def feb(day: int) -> date:
    return date(2026, 2, day)


def mar(day: int) -> date:
    return date(2026, 3, day)


def dealer(dealer_id: str, valid_from: date, region: str, **other: Any) -> dict[str, Any]:
    return {
        "dealer_id": dealer_id,
        "valid_from": valid_from,
        "region": region,
        "dealer_name": dealer_id,
        "status": "active",
        **other,
    }


def member(member_id: str, valid_from: date, role: str, team: str, **other: Any) -> dict[str, Any]:
    return {
        "member_id": member_id,
        "valid_from": valid_from,
        "role": role,
        "team": team,
        "member_name": member_id,
        **other,
    }


def share(
    dealer_id: str, member_id: str, role: str, valid_from: date, valid_to: date | None, split: int | None
) -> dict[str, Any]:
    return {
        "dealer_id": dealer_id,
        "member_id": member_id,
        "role": role,
        "valid_from": valid_from,
        "valid_to": valid_to,
        "split_pct": split,
    }


def sale(
    transaction_id: str,
    line_no: int,
    day: date,
    dealer_id: str,
    product_id: str,
    net: str,
    cost: str | None,
    **other: Any,
) -> dict[str, Any]:
    return {
        "transaction_id": transaction_id, "line_no": line_no, "transaction_type": "invoice", "channel": "sell_in",
        "sale_date": day, "dealer_id": dealer_id, "product_id": product_id, "quantity": Decimal(1),
        "net_amount": Decimal(net), "cost_amount": None if cost is None else Decimal(cost), "currency_code": "CNY",
        "_received_date": day, **other,
    }  # fmt: skip


def rate(day: date, currency: str, rate_type: str, value: str) -> dict[str, Any]:
    return {
        "rate_date": day, "from_currency_code": currency, "to_currency_code": "CNY", "rate_type": rate_type,
        "rate": Decimal(value),
    }  # fmt: skip


def target(
    target_id: str, subject: str, metric: str, valid_from: date, valid_to: date, value: str, **other: Any
) -> dict[str, Any]:
    subject_type, subject_id = subject.split(":")
    return {
        "target_id": target_id, "subject_type": subject_type, "subject_id": subject_id, "metric": metric,
        "valid_from": valid_from, "valid_to": valid_to, "target_value": Decimal(value), "unit": "CNY", **other,
    }  # fmt: skip


def survey(
    response_id: str, sent: date, score: int | None, dealer_id: str = "D1", member_id: str | None = "M3", high: int = 5
) -> dict[str, Any]:
    return {
        "response_id": response_id, "survey": "csat", "scale_min": Decimal(1 if high == 5 else 0),
        "scale_max": Decimal(high), "dealer_id": dealer_id, "member_id": member_id, "sent_date": sent,
        "answered_date": None if score is None else sent, "score": score,
    }  # fmt: skip


def training(record_id: str, due: date, completed: date | None, **other: Any) -> dict[str, Any]:
    return {
        "record_id": record_id,
        "course_id": "C1",
        "assigned_date": START,
        "due_date": due,
        "completed_date": completed,
        **other,
    }


def plan(
    plan_assignment_id: str, payee_id: str, plan_id: str, valid_from: date, valid_to: date | None
) -> dict[str, Any]:
    return {
        "plan_assignment_id": plan_assignment_id, "payee_type": "member", "payee_id": payee_id, "plan_id": plan_id,
        "valid_from": valid_from, "valid_to": valid_to,
    }  # fmt: skip


def payment(payment_id: str, payment_date: date, amount: str) -> dict[str, Any]:
    return {
        "payment_id": payment_id, "dealer_id": "D1", "payment_type": "payment", "amount": Decimal(amount),
        "currency_code": "CNY", "payment_date": payment_date, "transaction_id": "T0",
    }  # fmt: skip


USD = {"currency_code": "USD"}
M1 = {"seller_id": "M1"}
M2 = {"seller_id": "M2"}
RETURN_OF_T7 = {"transaction_type": "return", "original_transaction_id": "T7", "original_line_no": 1}

FEEDS: dict[str, Rows] = {
    "fx_rates": [
        rate(START, "USD", "market", "7.0"),
        rate(feb(1), "USD", "market", "7.2"),
        rate(START, "USD", "plan", "7.1"),
        # no rate for EUR at all
    ],
    "products": [
        {"product_id": "P1", "valid_from": START, "product_name": "Bike", "category": "Bikes"},
        {"product_id": "P1", "valid_from": mar(1), "product_name": "Bike", "category": "E-Bikes"},
        {"product_id": "P2", "valid_from": START, "product_name": "Shirt", "category": "Clothing"},
    ],
    "dealers": [
        dealer("D1", START, "North", dealer_name="Old name"),
        dealer("D1", START, "North", dealer_name="Right name", _received_date=jan(5)),
        dealer("D1", feb(1), "South"),
        dealer("D2", START, "South"),
        dealer("D2", jan(15), "Nowhere", valid_to=jan(15)),  # never holds
        dealer("D3", START, "North"),  # buys nothing
        dealer("D4", START, "North", status="prospect"),
        dealer("D5", START, "West"),  # buys in a currency without rate
    ],
    "team_members": [
        member("M1", START, "sales", "Red"),
        member("M1", feb(15), "sales", "Blue"),  # transfer in mid-period
        member("M2", START, "sales", "Red"),
        member("M3", START, "service", "Care"),
        member("M4", START, "sales", "Red", left_date=jan(1), valid_to=jan(1)),
    ],
    "assignments": [
        share("D1", "M1", "owner", START, feb(10), 60),
        share("D1", "M2", "co_owner", START, feb(10), 40),
        share("D1", "M2", "owner", feb(10), None, None),  # a single share not stated: the whole
        share("D1", "M3", "service", START, None, 100),  # gives no credit
        share("D2", "M1", "owner", START, None, 100),
        share("D5", "M1", "owner", START, None, 70),
        share("D5", "M2", "co_owner", START, None, 50),  # 120 %: credits nobody
    ],
    "sales": [
        sale("T10", 1, date(2025, 3, 10), "D1", "P1", "2000", "1500", **M2),
        sale("T11", 1, date(2025, 12, 15), "D1", "P1", "1000", "700", **M2),
        sale("T1", 1, jan(10), "D1", "P1", "1000", "600"),
        sale("T1", 2, jan(10), "D1", "P2", "500", "300"),
        sale("T1", 2, jan(10), "D1", "P2", "450", "300", _received_date=feb(3)),  # late correction
        sale("T1", 1, jan(10), "D1", "P1", "9999", "600", _received_date=date(2026, 4, 10)),  # learnt after as_of
        sale("T2", 1, jan(31), "D2", "P1", "100", "60", **USD),
        sale("T9", 1, jan(20), "D2", "P1", "10", "6", **USD),
        sale("T9", 1, mar(2), "D2", "P1", "10", "6", **USD, _received_date=mar(5)),  # moved to another month
        sale("T3", 1, feb(1), "D2", "P1", "100", "60", **USD),
        sale("T4", 1, feb(9), "D1", "P1", "1000", "800"),  # last day of the old owners
        sale("T4", 2, feb(10), "D1", "P2", "2000", None),  # first day of the new one; cost not known
        sale("T5", 1, feb(14), "D1", "P1", "300", "200", **M1),
        sale("T6", 1, feb(15), "D1", "P1", "400", "300", **M1),
        sale("T7", 1, mar(5), "D1", "P1", "800", "500", **M1),
        sale("R7", 1, mar(20), "D1", "P1", "-800", "-500", **M1, **RETURN_OF_T7),
        sale("T8", 1, mar(10), "D5", "P1", "100", "50", currency_code="EUR"),
        sale("T13", 1, jan(12), "D1", "P1", "7777", "1", **M1, channel="sell_out"),  # sold on: no revenue of the brand
        sale("T0", 1, date(2024, 12, 31), "D1", "P1", "4000", "1"),  # before the calendar
        sale("T12", 1, date(2026, 4, 2), "D1", "P1", "5000", "1"),  # after the last month built
    ],
    "payments": [
        payment("P0", date(2024, 12, 31), "300"),  # before the calendar
        payment("P12", date(2026, 4, 2), "200"),  # after the last month built
    ],
    "targets": [
        target("M1-Q1", "member:M1", "net_revenue", jan(1), date(2026, 4, 1), "3000"),
        target("M1-01", "member:M1", "net_revenue", jan(1), feb(1), "1000"),
        target("M2-01", "member:M2", "net_revenue", jan(1), feb(1), "500"),
        target("M2-02", "member:M2", "net_revenue", feb(1), mar(1), "2500"),
        target("M2-zero", "member:M2", "net_revenue", mar(1), date(2026, 4, 1), "0", product_category="Clothing"),
        target("D2-edge", "dealer:D2", "net_revenue", jan(31), feb(2), "200", unit="USD"),
        target("Red-edge", "team:Red", "net_revenue", feb(10), feb(15), "2300"),
        target("South-bikes", "region:South", "net_revenue", feb(1), mar(1), "4820", product_category="Bikes"),
        target("D5-03", "dealer:D5", "net_revenue", mar(1), date(2026, 4, 1), "100"),
        target("D1-margin", "dealer:D1", "gross_margin_amount", jan(1), feb(1), "1000"),
        target("typo", "team:Rde", "net_revenue", jan(1), feb(1), "1000"),  # no such team
        target("M3-csat", "member:M3", "csat_pct", jan(1), date(2026, 4, 1), "80", unit="percent"),
    ],
    "training_courses": [
        {"course_id": "C1", "course_name": "Selling", "topic": "selling", "is_mandatory": True, "hours": Decimal(2)},
    ],
    "training_records": [
        # the learning system's own change time decides, not the order of arrival
        training("R1", jan(31), jan(20), member_id="M1", updated_at=datetime(2026, 1, 20, 9), _received_date=jan(21)),
        training("R1", jan(31), None, member_id="M1", updated_at=datetime(2026, 1, 2, 9), _received_date=jan(25)),
        training("R2", feb(20), mar(5), member_id="M1"),  # late: not in February, but in the quarter
        training("R3", mar(31), None, member_id="M1"),
        training("R4", jan(15), None, dealer_id="D3"),
    ],
    "survey_responses": [
        survey("S1", jan(5), 5),
        survey("S2", jan(6), 4),
        survey("S3", feb(5), 3),
        survey("S4", feb(6), None),  # unanswered
        survey("S5", mar(5), 2),
        survey("S6", mar(6), 8, high=10),
        survey("S7", jan(7), None, dealer_id="D2", member_id=None),
    ],
    "plan_assignments": [
        plan("A1", "M1", "sales_commission", START, None),
        plan("A2", "M2", "sales_commission", feb(10), None),  # gets the plan within the quarter
        plan("A3", "M3", "sales_commission", jan(1), None),  # has no revenue target
        plan("A4", "M3", "no_such_plan", jan(1), None),
    ],
}  # fmt: skip
