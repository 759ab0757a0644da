"""A company of two sellers over six quarters, and what is learnt of each quarter when it is paid already.

All feeds come as CSV with the contract's own column names, so that a delivery is rows and nothing else.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tests import small

from dealermart.base import REPO

Row = dict[str, Any]
Delivery = Mapping[str, Sequence[Row]]

COMPANY = """\
name: Test Brand
name_zh: 测试品牌
reporting_currency: CNY
fx_rate_type: market
plan_fx_rate_type: plan
fiscal_year_start_month: 1
calendar_start: 2025-01-01
receivables_from: 2025-01-01
time_zone: Asia/Shanghai
min_group_size: 5
credit_rule: stated_seller_else_assignment
complete_feeds: []
"""

PLAN: Row = {
    "plan": "quarterly",
    "version": 1,
    "name": "Quarterly plan",
    "name_zh": "季度方案",
    "payee": "member",
    "currency": "CNY",
    "rate_type": "plan",
    "period": "quarter",
    "valid_from": dt.date(2025, 1, 1),
    "components": [
        {
            "id": "a",
            "name": "Target",
            "name_zh": "目标",
            "measure": {"of": "net_revenue"},
            "credit": ["owner", "co_owner"],
            "target": {"metric": "net_revenue", "prorate": "calendar_days"},
            "rate": {
                "basis": "attainment",
                "rule": "whole_base",
                "pays": "pct",
                "outside": "zero",
                "bands": [{"from": 0, "to": 1, "value": 1}, {"from": 1, "value": 2}],
            },
            "returns": "rerate",
        },
        {
            "id": "b",
            "name": "Collected",
            "name_zh": "回款",
            "measure": {"of": "collected_amount"},
            "trigger": "collected",
            "credit": ["owner", "co_owner"],
            "rate": {"basis": "none", "value": 1},
        },
        {
            "id": "c",
            "name": "Trained",
            "name_zh": "培训",
            "measure": {"of": "net_revenue"},
            "credit": ["owner", "co_owner"],
            "rate": {"basis": "none", "value": 1},
            "gates": [{"kpi": "training_completion_pct", "subject": "self", "below": 1, "then": {"factor": 0.5}}],
        },
        {
            "id": "d",
            "name": "Fixed",
            "name_zh": "固定",
            "measure": {"of": "net_revenue"},
            "credit": ["owner", "co_owner"],
            "rate": {"basis": "none", "pays": "fixed", "value": 10},
        },
    ],
}

QUARTERS = ("2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2")
COLUMNS = {
    "sales": "transaction_id line_no transaction_type channel dealer_id product_id quantity net_amount cost_amount currency_code"
    " sale_date original_transaction_id original_line_no",
    "dealers": "dealer_id valid_from dealer_name region status",
    "team_members": "member_id valid_from member_name role team manager_id hired_date left_date",
    "assignments": "dealer_id member_id role valid_from valid_to split_pct",
    "products": "product_id valid_from product_name category",
    "targets": "target_id subject_type subject_id metric valid_from valid_to target_value unit",
    "plan_assignments": "plan_assignment_id payee_type payee_id plan_id currency_code valid_from",
    "payments": "payment_id transaction_id dealer_id payment_type amount currency_code payment_date",
    "fx_rates": "rate_date from_currency_code to_currency_code rate_type rate",
    "absences": "absence_id member_id kind valid_from valid_to absence_pct is_paid",
    "adjustments": "adjustment_id payee_type payee_id effective_date amount currency_code reason requested_by_id approved_by_id"
    " approved_date",
    "training_courses": "course_id course_name topic is_mandatory hours",
    "training_records": "record_id course_id member_id assigned_date due_date completed_date",
}


def day(quarter: str, number: int = 40) -> dt.date:
    """The so-manieth day of a quarter."""
    year, no = quarter.split("-Q")
    return dt.date(int(year), 3 * int(no) - 2, 1) + dt.timedelta(days=number)


def sale(document: str, dealer: str, amount: float, when: dt.date, **more: Any) -> Row:
    """One line of an invoice."""
    return {
        "transaction_id": document, "line_no": 1, "transaction_type": "invoice", "channel": "sell_in",
        "dealer_id": dealer, "product_id": "P", "quantity": 10, "net_amount": amount, "currency_code": "CNY",
        "sale_date": when, **more,
    }  # fmt: skip


def target(quarter: str, value: int) -> Row:
    end = day(quarter, 95).replace(day=1)
    return {
        "target_id": f"T-{quarter}", "subject_type": "member", "subject_id": "A", "metric": "net_revenue",
        "valid_from": day(quarter, 0), "valid_to": end, "target_value": value, "unit": "CNY",
    }  # fmt: skip


def training(member: str, quarter: str, done: bool = True) -> Row:
    when = day(quarter, 30)
    return {
        "record_id": f"R-{member}-{quarter}", "course_id": "C", "member_id": member, "assigned_date": day(quarter, 1),
        "due_date": when, "completed_date": when if done else None,
    }  # fmt: skip


def owner(
    dealer: str, member: str, share: int, since: dt.date, role: str = "owner", until: dt.date | None = None
) -> Row:
    return {
        "dealer_id": dealer, "member_id": member, "role": role, "valid_from": since, "valid_to": until, "split_pct": share,
    }  # fmt: skip


BEGIN = dt.date(2025, 1, 1)


def quarter_of(quarter: str) -> dict[str, list[Row]]:
    """What every quarter brings: A sells 1,000 (900 in the second), B 2,000; both are trained; A has a target of 1,000."""
    return {
        "sales": [
            sale(f"S-{quarter}", "D1", 900 if quarter == "2025-Q2" else 1000, day(quarter)),
            sale(f"B-{quarter}", "D2", 2000, day(quarter)),
        ],
        "targets": [target(quarter, 1000)],
        "training_records": [training("A", quarter), training("B", quarter)],
    }


def rate(value: float, when: dt.date) -> Row:
    return {
        "rate_date": when, "from_currency_code": "USD", "to_currency_code": "CNY", "rate_type": "plan", "rate": value,
    }  # fmt: skip


def first() -> Delivery:
    """Five quarters; in the last A has a sale of 100 dollars besides, at 7."""
    found: dict[str, list[Row]] = {
        "dealers": [
            {"dealer_id": name, "valid_from": BEGIN, "dealer_name": name, "region": "East", "status": "active"}
            for name in ("D1", "D2")
        ],
        "team_members": [
            {"member_id": name, "valid_from": BEGIN, "member_name": name, "role": "sales", "team": "T", "hired_date": BEGIN}
            for name in ("A", "B")
        ],
        "assignments": [owner("D1", "A", 100, BEGIN), owner("D2", "B", 100, BEGIN)],
        "products": [{"product_id": "P", "valid_from": BEGIN, "product_name": "Tent", "category": "Shelter"}],
        "plan_assignments": [
            {"plan_assignment_id": f"PA-{name}", "payee_type": "member", "payee_id": name, "plan_id": "quarterly",
             "currency_code": "CNY", "valid_from": BEGIN}
            for name in ("A", "B")
        ],
        "training_courses": [
            {"course_id": "C", "course_name": "Course", "topic": "product", "is_mandatory": True, "hours": 2}
        ],
        "fx_rates": [rate(7, BEGIN), rate(7, day("2026-Q1", 0))],
        "payments": [
            payment("PAY-1", "S-2025-Q1", 1000, day("2025-Q1", 50)),
            payment("PAY-2", "S-2025-Q2", 400, day("2025-Q2", 50)),
        ],
    }  # fmt: skip
    for quarter in QUARTERS[:5]:
        for feed, rows in quarter_of(quarter).items():
            found.setdefault(feed, []).extend(rows)
    found["sales"].append(sale("USD", "D1", 100, day("2026-Q1"), currency_code="USD"))
    return found


def payment(number: str, document: str, amount: float, when: dt.date) -> Row:
    return {
        "payment_id": number, "transaction_id": document, "dealer_id": "D1", "payment_type": "payment", "amount": amount,
        "currency_code": "CNY", "payment_date": when,
    }  # fmt: skip


def later() -> Delivery:
    """When five quarters are paid: a sale, a return, a correction and a payment, each of another quarter."""
    back = {
        "transaction_type": "return", "original_transaction_id": "S-2025-Q4", "original_line_no": 1, "quantity": -2,
    }  # fmt: skip
    return {
        "sales": [
            sale("LATE", "D1", 500, day("2026-Q1", 60)),
            sale("BACK", "D1", -200, day("2025-Q4", 60), **back),
            sale("S-2025-Q3", "D1", 1100, day("2025-Q3")),
        ],
        "payments": [payment("PAY-3", "S-2025-Q2", 500, day("2025-Q2", 80))],
    }


def sixth() -> Delivery:
    return quarter_of("2026-Q2")


def last() -> Delivery:
    """When six are: shares, an absence, a target, a training, a rate, a manual amount; the plan changes besides."""
    return {
        "assignments": [
            owner("D1", "A", 60, BEGIN),
            owner("D1", "A", 100, day("2025-Q2", 0)),
            owner("D1", "B", 40, BEGIN, "co_owner", day("2025-Q2", 0)),
        ],
        "absences": [
            {"absence_id": "ABS", "member_id": "A", "kind": "parental", "valid_from": day("2025-Q2", 0),
             "valid_to": day("2025-Q2", 45), "absence_pct": 100, "is_paid": True}
        ],
        "targets": [target("2025-Q3", 1200)],
        "training_records": [training("A", "2025-Q4", done=False)],
        "fx_rates": [rate(7.5, day("2026-Q1", 0))],
        "adjustments": [
            {"adjustment_id": "ADJ", "payee_type": "member", "payee_id": "A", "effective_date": day("2025-Q4"), "amount": 30,
             "currency_code": "CNY", "reason": "agreed", "requested_by_id": "B", "approved_by_id": "B",
             "approved_date": day("2026-Q2")}
        ],
    }  # fmt: skip


def write_config(folder: Path) -> Path:
    """The company's config, with a source ``plain`` of files in the contracts' own columns."""
    small.feeds(folder / "feeds")
    shutil.copytree(REPO / "config" / "reviews", folder / "reviews")
    shutil.copy(REPO / "config" / "kpis.yml", folder)
    (folder / "company.yml").write_text(COMPANY, "utf-8")
    write_plan(folder, 10)
    source = folder / "sources" / "plain"
    source.mkdir(parents=True)
    files = []
    for feed, columns in COLUMNS.items():
        listed = ", ".join(f"f.{column}" for column in columns.split())
        (source / f"{feed}.sql").write_text(
            f"select f._delivery_id, f._row_number, {listed} from {feed}_file as f\n", "utf-8"
        )
        files.append(
            {"name": f"{feed}_file", "feed": feed, "map": f"{feed}.sql", "pattern": f"{feed}.csv", "format": "csv"}
        )
    (source / "source.yml").write_text(
        yaml.safe_dump({"source": "plain", "title": "Plain files", "files": files}), "utf-8"
    )
    return folder


def write_plan(config: Path, fixed: int) -> None:
    """The plan, with what it pays in any case."""
    plan = {**PLAN, "components": [*PLAN["components"][:3], {**PLAN["components"][3], "rate": {"basis": "none", "pays": "fixed", "value": fixed}}]}  # fmt: skip
    (config / "plans").mkdir(exist_ok=True)
    (config / "plans" / "quarterly.yml").write_text(yaml.safe_dump(plan, sort_keys=False, allow_unicode=True), "utf-8")


def write(folder: Path, delivery: Delivery) -> Path:
    """The files of a delivery."""
    folder.mkdir(parents=True)
    for feed, rows in delivery.items():
        if not rows:
            continue
        columns = COLUMNS[feed].split()
        lines = [",".join("" if row.get(name) is None else str(row[name]) for name in columns) for row in rows]
        (folder / f"{feed}.csv").write_text("\n".join([",".join(columns), *lines]) + "\n", "utf-8")
    return folder
