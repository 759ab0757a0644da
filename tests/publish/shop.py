"""A built warehouse by hand, with what dbt's yml says of it: two teams, two dealers, reviews, KPIs of small groups.

M1 leads North and M3 leads South, both under M9. M2 is in North until the end of March 2026 and in South from April.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import duckdb

from dealermart.base import Settings

ALL = ["bi", "hr", "manager", "member"]
KPI = {
    "code": "kpi_code", "type": "subject_type", "subject": "subject_id", "period": "period_id",
    "values": ["numerator", "denominator", "value", "attainment", "sample_size"],
}  # fmt: skip


def column(audience: list[str], kind: str = "varchar", pii: str = "none", **more: str) -> dict[str, Any]:
    return {
        "data_type": kind,
        "description": f"What it is, in {kind}",
        "config": {"meta": {"audience": audience, "pii": pii, **more}},
    }


def model(name: str, columns: dict[str, Any], key: list[str], meta: dict[str, Any]) -> dict[str, Any]:
    return {
        f"model.x.{name}": {
            "resource_type": "model", "unique_id": f"model.x.{name}", "schema": "marts", "alias": name,
            "description": f"The mart {name}", "config": {"meta": meta}, "columns": columns,
        },
        f"test.x.{name}": {
            "resource_type": "test", "attached_node": f"model.x.{name}",
            "test_metadata": {"name": "valid_key", "kwargs": {"columns": key}},
        },
    }  # fmt: skip


def person(audience: list[str], **more: str) -> dict[str, Any]:
    return column(audience, pii="direct", **({"person": "self"} | more))


NODES: dict[str, Any] = {
    **model(
        "dim_member",
        {
            "member_id": person(ALL), "valid_from": column(ALL, "date"), "valid_to": column(ALL, "date"),
            "member_name": column(ALL, pii="direct", person="member_id"), "role": column(ALL),
            "team": column(ALL), "region": column(ALL), "manager_id": person(ALL),
            "base_pay_amount": column(["hr"], "decimal(18,4)", "sensitive"),
        },
        ["member_id", "valid_from"],
        {"audience": ALL, "rows": {"member": "member_id", "before": "valid_to"}},
    ),
    **model(
        "dim_dealer",
        {"dealer_id": column(ALL), "valid_from": column(ALL, "date"), "valid_to": column(ALL, "date"),
         "region": column(ALL), "credit_limit_amount": column(ALL, "decimal(18,4)")},
        ["dealer_id", "valid_from"],
        {"audience": ALL, "rows": {"dealer": "dealer_id", "before": "valid_to"}},
    ),
    **model(
        "bridge_assignment",
        {"dealer_id": column(ALL), "member_id": person(ALL), "valid_from": column(ALL, "date"), "valid_to": column(ALL, "date")},
        ["dealer_id", "member_id", "valid_from"],
        {"audience": ALL, "rows": {"member": "member_id", "before": "valid_to"}},
    ),
    **model(
        "dim_period",
        {"period_id": column(ALL), "period_type": column(ALL), "period_start": column(ALL, "date"), "period_end": column(ALL, "date"),
         "previous_period_id": column(ALL), "last_year_period_id": column(ALL)},
        ["period_id"],
        {"audience": ALL, "rows": "all"},
    ),
    **model("dim_subject", {"subject_type": column(["bi", "hr"]), "subject_id": person(["bi", "hr"], person_type="subject_type")},
            ["subject_type", "subject_id"], {"audience": ["bi", "hr"]}),
    **model(
        "mart_kpi__subject_period",
        {
            "subject_type": column(ALL), "subject_id": person(ALL, person_type="subject_type"), "period_id": column(ALL),
            "period_end": column(ALL, "date"), "kpi_code": column(ALL), "numerator": column(ALL, "decimal(28,8)"),
            "denominator": column(ALL, "decimal(28,8)"), "value": column(ALL, "decimal(28,8)"), "attainment": column(ALL, "decimal(28,8)"),
            "previous_value": column(ALL, "decimal(28,8)"), "last_year_value": column(ALL, "decimal(28,8)"),
            "sample_size": column(ALL, "bigint"), "status": column(ALL), "status_reason": column(ALL),
        },
        ["subject_type", "subject_id", "period_id", "kpi_code"],
        {"audience": ALL, "rows": {"subject": "subject_id", "type": "subject_type", "before": "period_end"}, "kpi": KPI,
         "indexes": [["kpi_code", "period_id"]]},
    ),
    **model(
        "mart_review__rating",
        {"member_id": person(["hr", "manager", "member"]), "period_id": column(["hr", "manager", "member"]), "period_end": column(["hr", "manager", "member"], "date"),
         "total_score": column(["hr", "manager"], "decimal(9,2)", "sensitive"), "rating": column(["hr", "manager", "member"], pii="sensitive")},
        ["member_id", "period_id"],
        {"audience": ["hr", "manager", "member"], "rows": {"member": "member_id", "before": "period_end"}},
    ),
    **model(
        "fct_team_pulse", {"response_id": column(["hr"]), "score": column(["hr"], "bigint", "sensitive")}, ["response_id"], {"audience": ["hr"]},
    ),
    **model("int_secret", {"member_id": {"data_type": "varchar", "description": "", "config": {}}}, ["member_id"], {}),
}  # fmt: skip

TABLES = {
    "dim_member": """values
        ('M9', date '2025-01-01', date '9999-12-31', 'Nine', 'manager', null, null, null, 9.0),
        ('M1', date '2025-01-01', date '9999-12-31', 'One', 'manager', 'North', 'R1', 'M9', 5000.0),
        ('M2', date '2025-01-01', date '2026-04-01', 'Two', 'sales', 'North', 'R1', 'M1', 3000.0),
        ('M2', date '2026-04-01', date '9999-12-31', 'Two', 'sales', 'South', 'R1', 'M3', 3100.0),
        ('M3', date '2025-01-01', date '9999-12-31', 'Three', 'manager', 'South', 'R2', 'M9', 5100.0),
        ('M4', date '2025-01-01', date '2026-05-01', 'Four', 'sales', 'South', 'R2', 'M3', 2900.0)""",
    "dim_dealer": """values
        ('D1', date '2025-01-01', date '9999-12-31', 'R1', 100.0), ('D2', date '2025-01-01', date '9999-12-31', 'R2', 200.0)""",
    "bridge_assignment": """values
        ('D1', 'M2', date '2025-01-01', date '9999-12-31'), ('D2', 'M4', date '2025-01-01', date '9999-12-31')""",
    "dim_period": """values
        ('2026-M03', 'month', date '2026-03-01', date '2026-04-01', '2026-M02', '2025-M03'),
        ('2026-M04', 'month', date '2026-04-01', date '2026-05-01', '2026-M03', '2025-M04'),
        ('2026-Q1', 'quarter', date '2026-01-01', date '2026-04-01', '2025-Q4', '2025-Q1'),
        ('2026-Q2', 'quarter', date '2026-04-01', date '2026-07-01', '2026-Q1', '2025-Q2'),
        ('2026', 'year', date '2026-01-01', date '2027-01-01', '2025', '2025')""",
    "dim_subject": """values ('company', 'company'), ('member', 'M1'), ('member', 'M2'), ('member', 'M4'), ('dealer', 'D1'),
        ('team', 'North'), ('team', 'South')""",
    "mart_kpi__subject_period": """
        select kind, id, period, day, kpi, n * 0.5, n, 0.5, null::decimal(28,8), null::decimal(28,8), null::decimal(28,8), n, 'ok', null::varchar
        from (values
            ('member', 'M1', '2026-Q1', date '2026-04-01', 'net_revenue', 10), ('member', 'M2', '2026-Q1', date '2026-04-01', 'net_revenue', 20),
            ('member', 'M2', '2026-Q2', date '2026-07-01', 'net_revenue', 30), ('member', 'M4', '2026-Q1', date '2026-04-01', 'net_revenue', 40),
            ('dealer', 'D1', '2026-Q1', date '2026-04-01', 'net_revenue', 50), ('dealer', 'D2', '2026-Q1', date '2026-04-01', 'net_revenue', 60),
            ('team', 'North', '2026-Q1', date '2026-04-01', 'net_revenue', 70), ('team', 'South', '2026-Q1', date '2026-04-01', 'net_revenue', 80),
            ('company', 'company', '2026-Q1', date '2026-04-01', 'net_revenue', 90),
            ('member', 'M2', '2026-Q1', date '2026-04-01', 'training_score_mean', 9), ('company', 'company', '2026-Q1', date '2026-04-01', 'team_pulse_mean', 9),
            ('company', 'company', '2026-Q1', date '2026-04-01', 'csat_mean', 43), ('team', 'North', '2026-Q1', date '2026-04-01', 'csat_mean', 3),
            ('team', 'South', '2026-Q1', date '2026-04-01', 'csat_mean', 10), ('team', 'West', '2026-Q1', date '2026-04-01', 'csat_mean', 30)
        ) as t (kind, id, period, day, kpi, n)""",
    "mart_review__rating": """values
        ('M1', '2026-Q1', date '2026-04-01', 70.0, 'good'), ('M2', '2026-Q1', date '2026-04-01', 80.0, 'good'),
        ('M2', '2026-Q2', date '2026-07-01', 60.0, 'fair'), ('M4', '2026-Q1', date '2026-04-01', 99.0, 'best'),
        ('M4', '2026-Q2', date '2026-07-01', 98.0, 'best')""",
    "fct_team_pulse": "values ('P1', 1), ('P2', 5)",
    "int_secret": "values ('M1')",
}  # fmt: skip


PAID = ["hr", "manager", "member"]
# Statement lines of people and a dealer, and the rows behind them, which name no payee.
PAY = {
    **model(
        "pay_line",
        {"line_id": column(PAID), "payee_type": column(PAID), "payee_id": person(PAID, person_type="payee_type"),
         "period_end": column(PAID, "date"), "amount": column(PAID, "decimal(18,2)", "sensitive")},
        ["line_id"],
        {"audience": PAID, "rows": {"subject": "payee_id", "type": "payee_type", "before": "period_end"}},
    ),
    # By its name it would be loaded before the mart whose rows it follows.
    **model(
        "pay_behind_line",
        {"line_id": column(PAID), "source_id": column(PAID), "amount": column(PAID, "decimal(18,2)", "sensitive"),
         "_delivery_id": column(["hr"])},
        ["line_id", "source_id"],
        {"audience": PAID, "rows": {"through": "pay_line", "by": "line_id"}},
    ),
}  # fmt: skip
PAY_TABLES = {
    "pay_line": """values
        ('L1', 'member', 'M1', date '2026-04-01', 10.00), ('L2', 'member', 'M2', date '2026-04-01', 20.00),
        ('L3', 'member', 'M2', date '2026-07-01', 30.00), ('L4', 'member', 'M4', date '2026-04-01', 40.00),
        ('L5', 'dealer', 'D2', date '2026-04-01', 50.00)""",
    "pay_behind_line": """values
        ('L1', 'a', 10.00, 'd'), ('L2', 'a', 5.00, 'd'), ('L2', 'b', 15.00, 'd'), ('L3', 'a', 30.00, 'd'),
        ('L4', 'a', 40.00, 'd'), ('L5', 'a', 50.00, 'd'), ('L9', 'a', 90.00, 'd')""",
}


def nodes() -> dict[str, Any]:
    """The meta of the marts, to change."""
    return copy.deepcopy(NODES)


def build(settings: Settings, said: dict[str, Any] | None = None, tables: dict[str, str] | None = None) -> None:
    """Pretend that a build ended well.

    Args:
        said: The manifest's nodes; by default ``NODES``.
        tables: Selects that replace those of ``TABLES``.
    """
    said = said or NODES
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(str(settings.warehouse))
    con.execute("create schema if not exists marts")
    for name, select in {**TABLES, **(tables or {})}.items():
        columns = said[f"model.x.{name}"]["columns"]
        listed = ", ".join(f'"{c}" {d["data_type"]}' for c, d in columns.items())
        con.execute(f"create or replace table marts.{name} ({listed})")
        con.execute(f"insert into marts.{name} {select}")
    con.close()
    target = settings.home / "dbt" / "target"
    target.mkdir(parents=True, exist_ok=True)
    (target / "manifest.json").write_text(json.dumps({"nodes": said}))
    state = {"done": {"seq": 1, "as_of": "2026-06-08 06:00:00.000000", "period_end": "2026-07-01"}, "attempt": None}
    settings.warehouse.with_suffix(".state.json").write_text(json.dumps(state))
