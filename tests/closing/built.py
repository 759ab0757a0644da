"""A home whose build is pretended: a real log of a real delivery, and marts of rows that are written by hand."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import yaml

from dealermart import frozen, ingest, lake, warehouse
from dealermart.base import REPO, Settings
from dealermart.closing import Asked, Closed, close
from dealermart.config import load_contracts
from dealermart.warehouse.build import _hashes

Row = dict[str, Any]
Rows = dict[str, Sequence[Row]]

HEAD = "doc,line,kind,dealer,product,qty,net,cost,day,seller\n"
SALES = HEAD + "A1,1,invoice,D1,P1,2,1000.00,60.00,2026-02-10,M1\nA2,1,invoice,D1,P1,1,500.00,30.00,2026-05-11,M1\n"
MARTS = REPO / "dbt_project" / "models" / "marts"
QUARTERS = {f"2026-Q{number}": number for number in (1, 2, 3, 4)}
WHO = {"by": "Chen, finance", "reason": "pay run"}


def columns(mart: str) -> dict[str, str]:
    """Name -> type of a mart's columns, as its contract in dbt says."""
    (path,) = MARTS.rglob(f"{mart}.yml")
    (model,) = yaml.safe_load(path.read_text("utf-8"))["models"]
    return {column["name"]: column["data_type"] for column in model["columns"]}


def span(period_id: str) -> tuple[dt.date, dt.date]:
    """First day of a quarter, and the first after it."""
    number = QUARTERS[period_id]
    return dt.date(2026, 3 * number - 2, 1), dt.date(2026 + number // 4, 3 * number % 12 + 1, 1)


def pay(period_id: str, *amounts: tuple[str, str, str]) -> Rows:
    """Rows of all marts of a pay period: (payee, currency, amount) of each statement, one line and one sale behind it."""
    start, end = span(period_id)
    found: dict[str, list[Row]] = {}
    for payee, currency, amount in amounts:
        key = {"scenario_id": "paid", "payee_type": "member", "payee_id": payee, "period_id": period_id}
        dates = {"period_start": start, "period_end": end, "is_complete": True}
        plan = {"plan_id": "commission", "plan_version": 1, "currency_code": currency}
        line = f"paid:member:{payee}:commission:1:a:{currency}:{period_id}:earned:1.1"
        paid = key | dates | {"amount": amount, "currency_code": currency}
        rows: dict[str, Row] = {
            "statement": paid | plan | {"line_count": 1, "held_line_count": 0, "status": "paid"},
            "statement_line": paid | plan | {"statement_line_id": line, "component_id": "a", "line_kind": "earned"},
            "payout": paid | {"statement_count": 1, "held_line_count": 0},
            "line_source": {
                "scenario_id": "paid", "statement_line_id": line, "source_feed": "sales", "source_id": f"sale {payee}",
                "fiscal_month_start": start, "is_paid_anew": False, "amount": amount,
            },
            "credit": key | plan | {"component_id": "a", "event_id": f"E-{payee}", "counted": "yes"},
            "balance": key | plan | {"component_id": "a", "balance_kind": "draw", "closing_amount": "1.00"},
            "proposal": key | plan | dates | {"proposal_no": 1, "award": "recognition"},
        }  # fmt: skip
        for name, row in rows.items():
            found.setdefault(f"mart_incentive__{name}", []).append(row)
    return {**found}


def review(period_id: str, *ratings: tuple[str, str]) -> Rows:
    """Rows of the reviews of a quarter: (member, rating)."""
    start, end = span(period_id)
    dates = {"period_id": period_id, "period_start": start, "period_end": end}
    return {
        "mart_review__rating": [dates | {"member_id": member, "rating": rating} for member, rating in ratings],
        "mart_review__scorecard": [dates | {"member_id": member, "criterion_id": "c"} for member, _ in ratings],
    }


def together(*parts: Mapping[str, Sequence[Row]]) -> Rows:
    found: dict[str, list[Row]] = {}
    for part in parts:
        for name, rows in part.items():
            found.setdefault(name, []).extend(rows)
    return {**found}


def build(settings: Settings, rows: Rows, until: str = "2026-Q2", lineless: Rows | None = None) -> None:
    """Pretend that a build of all that the log holds ended well and left these rows; periods up to ``until`` are over."""
    marts = sorted(
        path.stem for path in MARTS.rglob("*.sql") if path.stem.startswith(("mart_incentive", "mart_review"))
    )
    periods = [
        {"period_id": name, "period_type": "quarter", "period_start": span(name)[0], "period_end": span(name)[1], "is_complete": name <= until}
        for name in QUARTERS
    ]  # fmt: skip
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    settings.warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(settings.warehouse)) as con:
        con.execute("create schema marts; create schema config")
        con.execute("create table config.fiscal_month as select '2026-M06' as month_id, date '2026-07-01' as month_end")
        for mart in ("dim_period", *marts):
            types = columns(mart)
            con.execute(f"create table marts.{mart} ({', '.join(f'{name} {kind}' for name, kind in types.items())})")
            for row in periods if mart == "dim_period" else rows.get(mart, ()):
                names = ", ".join(row)
                con.execute(
                    f"insert into marts.{mart} ({names}) values ({', '.join('?' * len(row))})", list(row.values())
                )
    log = lake.read(settings)
    done = {
        "seq": log.news, "as_of": log.ingested_at, "period_end": "2026-07-01",
        "hashes": _hashes(settings, load_contracts(settings)),
    }  # fmt: skip
    settings.warehouse.with_suffix(".state.json").write_text(json.dumps({"done": done, "attempt": None}))


def deliver(settings: Settings, drop: Callable[..., Path], day: str = "2026-07-02", sales: str = SALES) -> None:
    ingest.run(
        settings, "mini", dt.date.fromisoformat(day), drop({"sales.csv": sales}), ingested_at=dt.datetime(2026, 7, 2, 6)
    )


FIRST = pay("2026-Q1", ("M1", "CNY", "1000.10"), ("M2", "USD", "-20.00"))
SECOND = pay("2026-Q2", ("M1", "CNY", "70.00"), ("M2", "USD", "0.00"))


def closed(settings: Settings, period_id: str, kind: str = "pay", **more: Any) -> Closed:
    return close(settings, Asked(kind, period_id, **{**WHO, **more}))


def names(settings: Settings) -> list[str]:
    return [folder.name for folder in frozen.chain(settings)]


__all__ = ["warehouse"]
