"""The project's own tests on the data must fail when what they claim is broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def claims(built: Path) -> dict[str, str]:
    """Name of each data test to its compiled SQL, as the build of the hand-made company left it."""
    folder = built.parent / "dbt" / "compiled" / "dealermart"
    found = {path.stem: path.read_text("utf-8") for path in (folder / "tests" / "singular").glob("*.sql")}
    for path in (folder / "models").rglob("*.sql"):
        if path.parent.suffix == ".yml" and path.stem.startswith(("valid_key", "no_overlap", "fct_", "mart_")):
            found[path.stem] = path.read_text("utf-8")
    return found


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path / built.name))


@pytest.mark.parametrize(
    ("claim", "damage"),
    [
        ("every_sale_line_delivered_is_in_the_fact_once", "delete from marts.fct_sale_line where transaction_id = 'T5'"),
        (
            "every_sale_line_delivered_is_in_the_fact_once",
            "insert into marts.fct_sale_line from marts.fct_sale_line where transaction_id = 'T5'",
        ),
        (
            # the superseded version of the line in place of the winner
            "every_sale_line_delivered_is_in_the_fact_once",
            "update marts.fct_sale_line set _row_number = _row_number - 1 where transaction_id = 'T1' and line_no = 2",
        ),
        ("lake_holds_what_the_ledger_counted", "delete from lake.dealers where dealer_id = 'D3'"),
        ("lake_holds_what_the_ledger_counted", "delete from lake.ledger where feed = 'targets'"),
        (
            "direct_credit_of_a_line_never_exceeds_it",
            "insert into intermediate.int_credit__sale_line select * replace ('M9' as member_id) "
            "from intermediate.int_credit__sale_line where transaction_id = 'T5'",
        ),
        (
            "company_revenue_is_the_sum_of_the_sale_lines",
            "update marts.mart_kpi__subject_period set value = value + 0.01 "
            "where subject_type = 'company' and kpi_code = 'net_revenue' and period_id = '2026-M01'",
        ),
        (
            "company_revenue_is_the_sum_of_the_sale_lines",
            "delete from marts.mart_kpi__subject_period where subject_type = 'company' and period_id = '2026-Q1'",
        ),
        (
            "subjects_of_each_kind_add_up_to_the_company",
            "delete from intermediate.int_kpi__subject_month where subject_type = 'region' and subject_id = 'North'",
        ),
        (
            "subjects_of_each_kind_add_up_to_the_company",
            "update intermediate.int_kpi__subject_month set net_amount_plan = net_amount_plan + 0.01 "
            "where subject_type = 'member' and subject_id = 'M1'",
        ),
        (
            "additive_kpis_add_up_to_the_company",
            "update marts.mart_kpi__subject_period set value = value + 0.01 "
            "where subject_type = 'member' and subject_id = 'M1' and period_id = '2026-M01'",
        ),
        (
            # a quarter in which a line has no rate
            "the_monitor_of_each_kind_adds_up_to_the_company",
            "update marts.mart_kpi__sales_monitor_day set line_count_to_date = 0 "
            "where subject_type = 'region' and subject_id = 'West' and period_id = '2026-Q1'",
        ),
        (
            "the_monitor_of_each_kind_adds_up_to_the_company",
            "update marts.mart_kpi__sales_monitor_day set achieved_to_date = achieved_to_date + 0.01 "
            "where subject_type = 'member' and subject_id = 'M2' and period_id = '2025-Q4'",
        ),
        (
            "the_monitor_of_each_kind_adds_up_to_the_company",
            "delete from marts.mart_kpi__sales_monitor_day where subject_type = 'team' and period_id = '2025-Q4'",
        ),
        (
            "every_accepted_row_is_in_the_fact_or_left_out_with_a_reason",
            "delete from marts.fct_sale_line_left_out where transaction_id = 'T0'",
        ),
        (
            "every_accepted_row_is_in_the_fact_or_left_out_with_a_reason",
            "update marts.fct_sale_line set net_amount = net_amount + 1 where transaction_id = 'T5'",
        ),
        (
            "every_accepted_row_is_in_the_fact_or_left_out_with_a_reason",
            "delete from marts.fct_payment_left_out where payment_id = 'P0'",
        ),
        (
            "revenue_is_the_same_by_every_path",
            "update intermediate.int_credit__sale_line set credited_net_amount_reporting = 0 where transaction_id = 'T5'",
        ),
        (
            "shares_are_recomputed_from_parts",
            "update marts.mart_kpi__subject_period set denominator = denominator + 1 "
            "where kpi_code = 'gross_margin_pct' and subject_id = 'D1' and period_id = '2026-M01'",
        ),
        (
            "mart_kpi__subject_period_value_exactly_where_measured",
            "update marts.mart_kpi__subject_period set value = 0 where status = 'no_data' and subject_id = 'D3'",
        ),
        (
            "mart_kpi__subject_period_every_kpi_is_registered",
            "update marts.mart_kpi__subject_period set unit = null where kpi_code = 'csat_pct'",
        ),
        (
            "fct_sale_line_amount_is_null_only_without_rate",
            "update marts.fct_sale_line set net_amount_reporting = 1 where transaction_id = 'T8'",
        ),
        (
            "no_overlap_dim_dealer_dealer_id",
            "update marts.dim_dealer set valid_to = date '2026-03-01' where dealer_id = 'D1' and region = 'North'",
        ),
        ("valid_key_dim_dealer_dealer_id__valid_from", "update marts.dim_dealer set valid_from = null where not is_current"),
    ],
)  # fmt: skip
def test_a_broken_claim_is_noticed(claims: dict[str, str], copy: Path, claim: str, damage: str) -> None:
    with duckdb.connect(str(copy)) as con:
        assert con.execute(claims[claim]).fetchall() == []
        con.execute(damage)
        assert con.execute(claims[claim]).fetchall() != []
