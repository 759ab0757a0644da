"""Random late facts of random kinds: what was paid and what is settled come to what a fresh calculation gives."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from tests import small

from dealermart import closing, ingest, warehouse
from dealermart.base import Settings

from . import paid_story as story
from .test_paid_periods import MARTS

pytestmark = [pytest.mark.integration, pytest.mark.soak]

PAYEES = 12  # of each plan
BANDS = [{"from": 0, "to": 0.8, "value": 1}, {"from": 0.8, "to": 1, "value": 2.5}, {"from": 1, "value": 4}]
ATTAINED = {"basis": "attainment", "rule": "marginal", "pays": "pct", "outside": "zero", "bands": BANDS}
TARGET = {"metric": "net_revenue", "prorate": "calendar_days"}
COMPONENT: dict[str, Any] = {"id": "a", "measure": {"of": "net_revenue"}, "credit": ["owner", "co_owner"]}
FLAT = {"basis": "none", "value": 7.5}


def plan(name: str, component: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "plan": name, "version": 1, "payee": "member", "currency": "CNY", "rate_type": "plan", "period": "quarter",
        "valid_from": dt.date(2025, 1, 1), "components": [{**COMPONENT, **component}], **more,
    }  # fmt: skip


PLANS = [
    plan("marginal", {"rate": ATTAINED, "target": TARGET}),
    plan("whole", {"rate": {**ATTAINED, "rule": "whole_base"}, "target": TARGET, "returns": "rerate"}),
    plan("year", {"accumulate": "year_to_date", "rate": {"basis": "amount", "rule": "marginal", "outside": "zero",
                           "bands": [{"from": 0, "to": 4000, "value": 1.15}, {"from": 4000, "value": 3.3}]}}),
    plan("capped", {"rate": FLAT, "limits": {"cap": 150, "carry_excess": True}}),
    plan("carried", {"rate": FLAT, "negative": "carry"}),
    plan("held", {"rate": FLAT, "payout": {"hold_pct": 20, "release": {"at": "year_end"}}}),
    plan("parts", {"rate": FLAT, "payout": {"instalments": {"n": 3, "every": "quarter"}}}),
    plan("collected", {"rate": FLAT, "trigger": "collected"}),
    plan("limited", {"rate": FLAT}, limits={"floor": 40, "cap": 200}),
    plan("drawn", {"rate": FLAT}, draws=[{"kind": "guarantee", "amount": 120, "recoverable": True, "per": "period"}]),
]  # fmt: skip


def company(rng: random.Random) -> dict[str, list[story.Row]]:
    """Five quarters of every payee: some sales, returns and payments, a target."""
    found = {name: list(rows) for name, rows in story.first().items()}
    for name in ("sales", "payments", "targets", "training_records", "assignments", "team_members", "dealers", "plan_assignments"):  # fmt: skip
        found[name] = []
    for made in PLANS:
        for number in range(PAYEES):
            who, dealer = f"{made['plan']}{number}", f"D-{made['plan']}{number}"
            found["team_members"].append(
                {"member_id": who, "valid_from": story.BEGIN, "member_name": who, "role": "sales", "team": "T", "hired_date": story.BEGIN}
            )  # fmt: skip
            found["dealers"].append(
                {
                    "dealer_id": dealer,
                    "valid_from": story.BEGIN,
                    "dealer_name": dealer,
                    "region": "East",
                    "status": "active",
                }
            )
            found["assignments"].append(story.owner(dealer, who, 100, story.BEGIN))
            found["plan_assignments"].append(
                {"plan_assignment_id": f"PA-{who}", "payee_type": "member", "payee_id": who, "plan_id": made["plan"],
                 "currency_code": "CNY", "valid_from": story.BEGIN}
            )  # fmt: skip
            for quarter in story.QUARTERS[:5]:
                for each in range(rng.randint(0, 3)):
                    document = f"{who}-{quarter}-{each}"
                    found["sales"].append(sold(rng, document, dealer, quarter))
                    if rng.random() < 0.6:
                        found["payments"].append(paid(rng, document, dealer, quarter))
                found["targets"].append(
                    {
                        **story.target(quarter, rng.randint(500, 3000)),
                        "target_id": f"T-{who}-{quarter}",
                        "subject_id": who,
                    }
                )
    return found


def sold(rng: random.Random, document: str, dealer: str, quarter: str) -> story.Row:
    currency = "USD" if rng.random() < 0.2 else "CNY"
    return story.sale(document, dealer, rng.randint(10000, 150000) / 100, story.day(quarter, rng.randint(0, 88)), currency_code=currency)  # fmt: skip


def paid(rng: random.Random, document: str, dealer: str, quarter: str) -> story.Row:
    return {
        **story.payment(
            f"PAY-{document}-{rng.random()}", document, rng.randint(1000, 90000) / 100, story.day(quarter, 89)
        ),
        "dealer_id": dealer,
    }


def late(rng: random.Random, known: dict[str, list[story.Row]]) -> dict[str, list[story.Row]]:
    """Facts of random kinds about random quarters that are closed."""
    found: dict[str, list[story.Row]] = {}
    kinds = rng.sample(["late_sale", "return", "correction", "payment", "credit", "employment", "target", "rate"], 3)
    for assigned in known["plan_assignments"]:
        if rng.random() < 0.3:
            continue
        who = str(assigned["payee_id"])
        dealer, quarter, kind = f"D-{who}", rng.choice(story.QUARTERS[:5]), rng.choice(kinds)
        own = [row for row in known["sales"] if row["dealer_id"] == dealer and row["currency_code"] == "CNY"]
        if kind == "late_sale":
            found.setdefault("sales", []).append(sold(rng, f"L-{who}", dealer, quarter))
        elif kind == "return" and own:
            of = rng.choice(own)
            found.setdefault("sales", []).append(
                story.sale(f"R-{who}", dealer, -round(of["net_amount"] / rng.choice([1, 2, 3]), 2), of["sale_date"] + dt.timedelta(days=rng.randint(1, 60)),
                           transaction_type="return", original_transaction_id=of["transaction_id"], original_line_no=1, quantity=-3)
            )  # fmt: skip
        elif kind == "correction" and own:
            of = rng.choice(own)
            found.setdefault("sales", []).append({**of, "net_amount": rng.randint(100, 200000) / 100})
        elif kind == "payment" and own:
            of = rng.choice(own)
            found.setdefault("payments", []).append(
                {
                    **paid(rng, str(of["transaction_id"]), dealer, quarter),
                    "payment_date": of["sale_date"] + dt.timedelta(days=5),
                }
            )
        elif kind == "credit":
            found.setdefault("assignments", []).append(story.owner(dealer, who, rng.choice([50, 75]), story.BEGIN))
        elif kind == "employment":
            found.setdefault("absences", []).append(
                {"absence_id": f"ABS-{who}", "member_id": who, "kind": "sick", "valid_from": story.day(quarter, 0),
                 "valid_to": story.day(quarter, rng.randint(2, 80)), "absence_pct": 100, "is_paid": True}
            )  # fmt: skip
        elif kind == "target":
            found.setdefault("targets", []).append(
                {**story.target(quarter, rng.randint(500, 3000)), "target_id": f"T-{who}-{quarter}", "subject_id": who}
            )
    if "rate" in kinds:
        found["fx_rates"] = [story.rate(7.3, story.day("2026-Q1", 0))]
    return found


@pytest.mark.parametrize("seed", range(1, 6))
def test_paid_and_settled_is_a_fresh_calculation(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    config = story.write_config(tmp_path / "config")
    (config / "plans" / "quarterly.yml").unlink()
    for made in PLANS:
        (config / "plans" / f"{made['plan']}.yml").write_text(yaml.safe_dump(made, sort_keys=False), "utf-8")
    project = small.project(tmp_path / "project", MARTS, judged=False)
    home, fresh = (
        Settings(home=tmp_path / name, config=config, project=project, user="tester") for name in ("home", "fresh")
    )
    first = company(rng)
    deliveries = [(first, dt.datetime(2026, 4, 2, 6)), (late(rng, first), dt.datetime(2026, 4, 10, 6))]
    for number, (delivery, moment) in enumerate(deliveries):
        folder = story.write(tmp_path / f"drop{number}", delivery)
        for settings in (home, fresh):
            ingest.run(settings, "plain", moment.date(), folder, ingested_at=moment)
        warehouse.run(home, period="2026-M04")
        if number == 0:
            before = totals(home, "period_id <> '2026-Q2'")
            for quarter in story.QUARTERS[:5]:
                closing.close(home, closing.Asked("pay", quarter, by="Chen", reason="pay run"))
    warehouse.run(fresh, period="2026-M04")
    # What was paid is as it was, and there is enough that differs by now.
    assert totals(home, "period_id <> '2026-Q2'") == before
    settled = rows(
        home, "select cause, count(*) from marts.mart_incentive__statement_line where line_kind = 'late' group by all"
    )
    assert sum(count for _, count in settled) > 30
    assert all(cause for cause, _ in settled)
    assert totals(home) == totals(fresh)
    # Each line is the sum of the rows behind it.
    assert rows(home, """
        select statement_line_id from marts.mart_incentive__statement_line as line
        left join (select statement_line_id, sum(amount) as amount from marts.mart_incentive__line_source group by all) as source
            using (statement_line_id)
        where line.amount is not null and line.amount <> coalesce(source.amount, 0)
    """) == []  # fmt: skip


def totals(settings: Settings, which: str = "true") -> list[tuple[Any, ...]]:
    """What each payee was paid in all, less what a draw is still owed."""
    return rows(settings, f"""
        with line as (
            select payee_id, amount from marts.mart_incentive__statement_line where {which}
            union all
            select payee_id, -closing_amount from marts.mart_incentive__balance
            where balance_kind = 'draw' and period_id = '2026-Q2' and {which}
        )
        select payee_id, sum(amount) from line group by all order by all
    """)  # fmt: skip


def rows(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse), read_only=True) as con:
        return con.execute(sql).fetchall()
