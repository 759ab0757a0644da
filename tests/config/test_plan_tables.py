"""A plan that uses every construct of the language, and what each becomes in the tables."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from dealermart.base import REPO, Settings
from dealermart.config import load_config
from dealermart.warehouse.plan_tables import SCHEMAS, plan_rows

FULL = Path(__file__).with_name("full_plan.yml")

Table = list[dict[str, Any]]


@pytest.fixture
def tables(settings: Settings) -> dict[str, Table]:
    """Each table's rows as mappings of the columns that are not empty, without the key of the plan."""
    (settings.config / "plans" / "commission.yml").write_text(FULL.read_text("utf-8"), "utf-8")
    plan = load_config(settings).plans[0][1]
    found = plan_rows("plans/full.yml", plan)
    return {
        name: [
            {column: value for column, value in zip(SCHEMAS[name], row, strict=True) if value is not None}
            for row in rows
        ]
        for name, rows in found.items()
    }


def picked(rows: Table, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.get(column) for column in columns) for row in rows]


def test_the_source_of_dbt_has_the_same_columns() -> None:
    source = yaml.safe_load((REPO / "dbt_project/models/sources/config_plan.yml").read_text("utf-8"))["sources"][0]
    declared = {
        table["name"]: {column["name"]: column["data_type"] for column in table["columns"]}
        for table in source["tables"]
    }
    assert {name: declared.get(name) for name in SCHEMAS} == SCHEMAS


def test_every_row_has_the_key(tables: dict[str, Table]) -> None:
    for name, rows in tables.items():
        assert rows, f"the plan has no row of {name}"
        assert {(row["scenario_id"], row["plan_id"], row["plan_version"]) for row in rows} == {
            ("paid", "field_sales", 3)
        }


def test_the_plan(tables: dict[str, Table]) -> None:
    (plan,) = tables["plan"]
    assert "currency_code" not in plan
    assert (plan["plan_name"], plan["plan_name_zh"]) == ("field_sales", "field_sales")
    assert (plan["valid_from"], plan["period_type"], plan["rate_type"]) == (date(2026, 1, 1), "quarter", "plan")
    assert (plan["target_pay_per"], plan.get("target_pay_amount")) == ("year", None)
    assert (plan["must_be_employed"], plan["leaver_otherwise"]) == ("period_end", "prorate")
    assert (plan["cap_amount"], plan["cap_pct"]) == (Decimal(90000), Decimal(2))


def test_components(tables: dict[str, Table]) -> None:
    business, margin, happy, launch = tables["plan_component"]
    assert [row["component_no"] for row in tables["plan_component"]] == [1, 2, 3, 4]
    assert (business["invoiced_pct"], business["collected_pct"]) == (60, 40)
    assert [row["kind"] for row in tables["plan_component"]] == ["rate", "rate", "rate", "spiff"]
    roles = [name for name, value in business.items() if name.startswith("is_credit") and value]
    assert roles == ["is_credit_owner", "is_credit_co_owner"]
    assert (business["target_kind"], business["target_metric"], business["target_product_category"]) == (
        "metric",
        "net_revenue",
        "E-Bikes",
    )
    assert (business["modifier_kpi_code"], business["modifier_subject"]) == ("csat_pct", "self")
    assert (business["clawback_on"], business["clawback_days"], business["clawback_pct"]) == ("return", 365, 100)
    assert (business["hold_pct"], business["release_days"], business["instalment_count"]) == (30, 90, 3)
    assert (margin["measure"], margin["measure_floor"], margin["rate_type"]) == ("gross_margin", 0, "market")
    assert (margin["target_kind"], margin["target_factor"], margin["prorate"]) == (
        "last_year",
        Decimal("1.1"),
        "working_days",
    )
    assert (margin["clawback_linear_months"], margin.get("clawback_pct")) == (12, None)
    assert (happy["measure"], happy["kpi_code"], happy["kpi_subject"]) == ("kpi", "csat_pct", "team")
    assert not any(value for name, value in happy.items() if name.startswith("is_credit"))
    # a SPIFF follows its component where it says nothing
    assert (launch["of_component_id"], launch["measure"], launch["invoiced_pct"]) == ("new_business", "net_revenue", 60)
    assert (launch["weight_pct"], launch["is_spiff_proportional"]) == (60, True)
    (band,) = [row for row in tables["plan_segment"] if row["component_id"] == "launch" and row["band_no"] == 1]
    assert (band["lower_bound"], band["band_value"]) == (400000, Decimal("0.25"))


def test_filters(tables: dict[str, Table]) -> None:
    found = picked(
        tables["plan_filter"],
        "component_id",
        "rule_no",
        "alternative_no",
        "product_category",
        "dealer_tier",
        "brand",
        "channel",
        "deal_amount_from",
    )
    assert found == [
        ("new_business", 0, 1, "|E-Bikes|", "|A|B|", "|X|", "|sell_in|", 50000),
        ("new_business", 0, 2, "|E-Bikes|", "|A|B|", None, "|sell_in|", 50000),
        ("new_business", 1, 1, None, None, None, None, None),
        ("new_business", 2, 1, None, None, None, None, None),
        ("margin", 0, 1, None, None, None, "|sell_in|", None),
        ("margin", 1, 1, None, "|A|", None, None, None),
        ("margin", 2, 1, None, None, None, None, None),
        ("happy", 0, 1, None, None, None, None, None),
        ("happy", 1, 1, None, None, None, None, None),
        ("launch", 0, 1, "|E-Bikes|", "|A|", "|X|", "|sell_in|", 50000),
        ("launch", 0, 2, "|E-Bikes|", "|A|", None, "|sell_in|", 50000),
        ("launch", 1, 1, None, None, None, None, None),
    ]  # fmt: skip
    assert tables["plan_filter"][1]["discount_pct_to"] == Decimal("0.1")


def test_rules(tables: dict[str, Table]) -> None:
    found = picked(
        tables["plan_rule"],
        "component_id",
        "rule_no",
        "rule_name",
        "specificity",
        "band_rule",
        "form",
        "pays",
        "cap_amount",
        "gate_no",
    )
    assert found == [
        ("new_business", 1, None, 0, "marginal", "slice", "pct", None, None),
        ("new_business", 2, None, 0, "whole_base", "rate", "pct", None, 2),
        ("margin", 1, "tier A", 1, "whole_base", "rate", "pct", 1000, None),
        ("margin", 2, None, 0, "curve", "rate", "base_rate_factor", None, None),
        ("happy", 1, None, 0, "marginal", "total", "fixed", None, None),
        ("launch", 1, None, 0, "whole_base", "rate", "payout_pct", None, None),
    ]  # fmt: skip
    assert tables["plan_rule"][3]["base_rate"] == Decimal("0.02")


def test_gates(tables: dict[str, Table]) -> None:
    found = picked(
        tables["plan_gate"],
        "component_id",
        "gate_no",
        "kpi_code",
        "below",
        "at_most",
        "factor",
        "is_hold",
        "then_rate",
        "weighted",
    )
    assert found == [
        ("new_business", 1, "csat_pct", Decimal("0.8"), None, 0, False, False, False),
        ("new_business", 2, "csat_pct", None, Decimal("0.85"), None, False, True, False),
        ("new_business", 3, None, None, Decimal("0.9"), None, True, False, True),
    ]  # fmt: skip
    assert picked(tables["plan_gate_part"], "gate_no", "part_component_id", "weight") == [(3, "new_business", 60), (3, "margin", 40)]  # fmt: skip


def test_ramp_season_draws_and_proposals(tables: dict[str, Table]) -> None:
    assert picked(tables["plan_ramp"], "component_id", "period_no", "factor") == [
        ("new_business", 1, Decimal("0.5")),
        ("new_business", 2, Decimal("0.75")),
    ]
    assert picked(tables["plan_season"], "part_type", "part_no", "weight") == [
        ("quarter", 1, 20),
        ("quarter", 2, 20),
        ("quarter", 3, 20),
        ("quarter", 4, 40),
    ]
    draws = picked(
        tables["plan_draw"],
        "draw_no",
        "kind",
        "is_recoverable",
        "amount",
        "pct_of_target_pay",
        "per",
        "period_count",
        "recover_from",
        "recover_pct",
        "repay_order",
    )
    assert draws == [
        (1, "guarantee", True, 2000, None, "month", 6, 4, 50, 2),
        (2, "on_top", False, None, Decimal("0.05"), "period", None, 1, 100, 2),
        (3, "ahead", True, 500, None, "period", None, 1, 100, 1),
    ]  # fmt: skip
    proposals = picked(
        tables["plan_proposal"],
        "component_id",
        "attainment_from",
        "period_count",
        "award",
        "proposal_name",
        "benefit_value",
    )
    assert proposals == [
        (None, Decimal("1.2"), 2, "recognition", "Star of the quarter", None),
        ("margin", Decimal(1), 1, "benefit", "benefit", 300),
    ]  # fmt: skip
