"""The marts of the hand-made company (company.py) against figures reckoned by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from tests.dbt import company, warehouse

pytestmark = pytest.mark.integration


def kpi(con: duckdb.DuckDBPyConnection, subject: str, period: str, code: str, *columns: str) -> tuple[Any, ...]:
    subject_type, subject_id = subject.split(":")
    rows = con.execute(
        f"select {', '.join(columns)} from marts.mart_kpi__subject_period "
        "where subject_type = ? and subject_id = ? and period_id = ? and kpi_code = ?",
        [subject_type, subject_id, period, code],
    ).fetchall()
    assert len(rows) == 1, f"{subject} {period} {code}: {len(rows)} rows"
    return rows[0]


@pytest.mark.parametrize(
    ("subject", "period", "value", "lines"),
    [
        # 1000 + 450 (the late correction of 500) + 100 USD x 7.0
        pytest.param("company:company", "2026-M01", "2150", 3, id="company, late correction wins"),
        # 100 USD x 7.2 + 1000 + 2000 + 300 + 400
        pytest.param("company:company", "2026-M02", "4420", 5, id="company, another rate"),
        pytest.param("dealer:D1", "2026-M03", "0", 2, id="a sale and its full return"),
        # 10 USD x 7.2: the line was dated January before
        pytest.param("dealer:D2", "2026-M03", "72", 1, id="a line moved to another month"),
        pytest.param("dealer:D2", "2026-M01", "700", 1, id="and gone from the month before"),
        pytest.param("dealer:D3", "2026-M01", "0", 0, id="a dealer who bought nothing"),
        # D1 belongs to North until February 1st
        pytest.param("region:North", "2026-M01", "1450", 2, id="region before the dealer moves"),
        pytest.param("region:North", "2026-M02", "0", 0, id="region after the dealer moved away"),
        pytest.param("region:South", "2026-M02", "4420", 5, id="region after the dealer moved in"),
        # 60 % of 1450 + 700
        pytest.param("member:M1", "2026-M01", "1570", 3, id="owner's share"),
        pytest.param("member:M2", "2026-M01", "580", 2, id="co-owner's share"),
        # 60 % of 1000 on the 9th, nothing of the 2000 on the 10th, 720 + 300 + 400
        pytest.param("member:M1", "2026-M02", "2020", 4, id="until the day before the hand-over"),
        # 40 % of 1000 on the 9th, all of the 2000 on the 10th
        pytest.param("member:M2", "2026-M02", "2400", 2, id="from the day of the hand-over"),
        # M1 before the 15th: 600 + 720 + 300; M2: 2400
        pytest.param("team:Red", "2026-M02", "4020", 5, id="team until the transfer"),
        pytest.param("team:Blue", "2026-M02", "400", 1, id="team from the transfer on"),
        pytest.param("member:M1", "2026-Q1", "3662", 10, id="quarter"),
    ],
)
def test_net_revenue(con: duckdb.DuckDBPyConnection, subject: str, period: str, value: str, lines: int) -> None:
    found = kpi(con, subject, period, "net_revenue", "value", "sample_size", "status", "currency_code", "rate_type")
    assert found == (Decimal(value), lines, "ok", "CNY", "market")


@pytest.mark.parametrize(
    ("subject", "period", "code", "status", "reason"),
    [
        ("company:company", "2026-M03", "net_revenue", "no_rate", "no exchange rate for 1 of 4 lines"),
        ("dealer:D5", "2026-M03", "gross_margin_pct", "no_rate", "no exchange rate for 1 of 1 lines"),
        ("company:company", "2025-M01", "net_revenue", "no_data", "no sales delivered for the period"),
        ("dealer:D1", "2026-M02", "gross_margin_amount", "undefined", "cost not known for 1 of 4 lines"),
        ("dealer:D3", "2026-M02", "gross_margin_pct", "no_data", "no sales in the period"),
        ("dealer:D1", "2026-M03", "gross_margin_pct", "undefined", "net revenue is zero or negative"),
        ("dealer:D3", "2026-M02", "growth_previous_pct", "undefined",
         "net revenue of the previous period is zero or negative"),
        ("dealer:D1", "2026-Q1", "growth_last_year_pct", "undefined",
         "sales cover only a part of the same period last year"),
        ("dealer:D2", "2026-M01", "csat_pct", "no_data", "none of 1 surveys answered"),
        ("dealer:D3", "2026-M01", "csat_mean", "no_data", "no survey sent in the period"),
        ("dealer:D1", "2026-M01", "training_completion_pct", "no_data", "no training due in the period"),
        ("member:M1", "2026-M02", "attainment_pct", "no_data", "no target in the period"),
        ("dealer:D5", "2026-M03", "attainment_pct", "no_rate", "no plan rate for 1 of 1 lines"),
    ],
)  # fmt: skip
def test_what_is_not_measured_is_null_with_its_reason(
    con: duckdb.DuckDBPyConnection, subject: str, period: str, code: str, status: str, reason: str
) -> None:
    assert kpi(con, subject, period, code, "value", "status", "status_reason") == (None, status, reason)


@pytest.mark.parametrize(
    ("subject", "period", "code", "value", "sample"),
    [
        ("company:company", "2026-M01", "gross_margin_amount", "830", 3),  # 2150 - 600 - 300 - 60 x 7.0
        ("company:company", "2026-M01", "gross_margin_pct", "0.38604651", 3),  # 830 / 2150
        # lines with a cost: 1000 - 800, 300 - 200, 400 - 300 of 1700
        ("dealer:D1", "2026-M02", "gross_margin_pct", "0.23529412", 3),
        ("company:company", "2026-M01", "growth_previous_pct", "1.15", 3),  # 2150 against 1000 in December
        ("company:company", "2026-M02", "growth_previous_pct", "1.05581395", 5),  # 2270 / 2150
        ("dealer:D1", "2026-M03", "growth_last_year_pct", "-1", 2),  # 0 against 2000
        ("member:M1", "2026-M01", "training_completion_pct", "1", 1),
        ("member:M1", "2026-M02", "training_completion_pct", "0", 1),  # done in March
        ("member:M1", "2026-Q1", "training_completion_pct", "0.66666667", 3),
        ("member:M3", "2026-Q1", "csat_pct", "0.6", 5),  # 5, 4 and 8 of 10 among 5 answers
        ("member:M3", "2026-Q1", "csat_mean", "3.64", 5),  # (5 + 4 + 3 + 2 + 4.2) / 5
        ("member:M1", "2026-Q1", "attainment_pct", "1.22033333", 10),  # 3661 at the plan rate 7.1 / 3000
        ("member:M2", "2026-Q1", "attainment_pct", "0.99333333", 4),  # (580 + 2400) / (500 + 2500)
    ],
)  # fmt: skip
def test_shares_and_means(
    con: duckdb.DuckDBPyConnection, subject: str, period: str, code: str, value: str, sample: int
) -> None:
    assert kpi(con, subject, period, code, "value", "sample_size", "status") == (Decimal(value), sample, "ok")


def test_intervals(con: duckdb.DuckDBPyConnection) -> None:
    columns = ("ci_low", "ci_high", "ci_method")
    # Wilson for 3 of 5 as tables have it: 0.2307 to 0.8824
    low, high, method = kpi(con, "member:M3", "2026-Q1", "csat_pct", *columns)
    assert (round(low, 4), round(high, 4), method) == (Decimal("0.2307"), Decimal("0.8824"), "wilson")
    # mean 3.64, variance (71.64 - 5 x 3.64^2) / 4 = 1.348, so 3.64 -+ 1.959964 x sqrt(1.348 / 5)
    low, high, method = kpi(con, "member:M3", "2026-Q1", "csat_mean", *columns)
    assert (round(low, 4), round(high, 4), method) == (Decimal("2.6223"), Decimal("4.6577"), "normal")
    assert kpi(con, "dealer:D2", "2026-M01", "csat_pct", *columns) == (None, None, None)


def test_few_answers_keep_their_value_and_say_so(con: duckdb.DuckDBPyConnection) -> None:
    found = kpi(con, "member:M3", "2026-M01", "csat_pct", "value", "status", "status_reason")
    assert found == (Decimal(1), "small_sample", "2 measured, at least 5 wanted")


def test_the_target_of_a_share_is_the_one_of_the_very_period(con: duckdb.DuckDBPyConnection) -> None:
    # 0.6 against 80 %
    assert kpi(con, "member:M3", "2026-Q1", "csat_pct", "target_value", "attainment") == (
        Decimal("0.8"),
        Decimal("0.75"),
    )
    assert kpi(con, "member:M3", "2026-M01", "csat_pct", "target_value", "attainment") == (None, None)


def test_a_quarter_target_is_not_added_to_its_months(con: duckdb.DuckDBPyConnection) -> None:
    assert kpi(con, "member:M1", "2026-Q1", "net_revenue", "target_value") == (Decimal(3000),)
    assert kpi(con, "member:M1", "2026-M01", "net_revenue", "target_value", "attainment") == (
        Decimal(1000),
        Decimal("1.58"),
    )


def test_a_target_of_five_days_is_called_one(con: duckdb.DuckDBPyConnection) -> None:
    found = kpi(con, "team:Red", "2026-Q1", "attainment_pct", "value", "status_reason")
    assert found == (Decimal(1), "targets cover 5 of 90 days")


@pytest.mark.parametrize(
    ("target", "actual", "attainment", "status"),
    [
        # 100 USD on the 31st and on the 1st at the plan rate; the day after is out
        pytest.param("D2-edge", "1420", "1", "ok", id="window over the edge of a month"),
        pytest.param("Red-edge", "2300", "1", "ok", id="team, last day out"),  # 2000 on the 10th + 300 on the 14th
        pytest.param("South-bikes", "2410", "0.5", "ok", id="one category"),  # 710 + 1000 + 300 + 400
        pytest.param("D1-margin", "550", "0.55", "ok", id="margin"),
        pytest.param("M2-zero", "0", None, "undefined", id="target of zero"),
        pytest.param("D5-03", None, None, "no_rate", id="no rate"),
        pytest.param("M3-csat", "0.6", "0.75", "ok", id="share of a quarter, target in percent"),
    ],
)
def test_targets_on_their_own_windows(
    con: duckdb.DuckDBPyConnection, target: str, actual: str | None, attainment: str | None, status: str
) -> None:
    found = con.execute(
        "select actual_value, attainment, status from marts.mart_kpi__target_window where target_id = ?", [target]
    ).fetchone()
    assert found == (actual and Decimal(actual), attainment and Decimal(attainment), status)


def test_every_target_is_there(con: duckdb.DuckDBPyConnection) -> None:
    found = con.execute("select count(*), count(distinct target_id) from marts.mart_kpi__target_window").fetchone()
    assert found == (len(company.FEEDS["targets"]), len(company.FEEDS["targets"]))


def test_lines_outside_of_the_build_are_left_out(con: duckdb.DuckDBPyConnection) -> None:
    ids = con.execute("select transaction_id, line_no from marts.fct_sale_line").fetchall()
    assert len(ids) == len(set(ids)) == 15
    assert ("T12", 1) not in ids  # dated after the last month built
    net = con.execute(
        "select net_amount from marts.fct_sale_line where transaction_id = 'T1' and line_no = 1"
    ).fetchone()
    assert net == (Decimal(1000),)  # the correction was learnt after as_of


def test_rows_of_sales_in_no_figure_are_listed_with_the_reason(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select transaction_id, line_no, left_out_reason, net_amount from marts.fct_sale_line_left_out"
    ).fetchall()
    assert sorted(rows) == [
        ("T0", 1, "before_calendar", 4000),
        ("T1", 2, "superseded", 500),
        ("T12", 1, "after_last_month", 5000),
        ("T9", 1, "superseded", 10),  # dated January before it was moved
    ]


def test_rows_of_payments_in_no_figure_are_listed_with_the_reason(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("select payment_id, left_out_reason, amount from marts.fct_payment_left_out").fetchall()
    assert sorted(rows) == [("P0", "before_calendar", 300), ("P12", "after_last_month", 200)]


def test_a_mistyped_team_sold_nothing_and_is_reported(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("select value, status from marts.mart_kpi__subject_period where subject_id = 'Rde'").fetchall()
    assert set(rows) <= {(None, "subject_unknown")}
    assert (
        con.execute(
            "select value, status_reason from marts.mart_kpi__subject_period"
            " where subject_id = 'Rde' and kpi_code in ('net_revenue', 'attainment_pct')"
        ).fetchall()
        == []
    )
    assert con.execute(
        "select attainment, status, status_reason from marts.mart_kpi__target_window where subject_id = 'Rde'"
    ).fetchall() == [(None, "undefined", "there is no team Rde in the masters")]
    listed = con.execute(
        "select feed, subject_type, subject_id, row_count from marts.mart_kpi__subject_unknown"
    ).fetchall()
    assert listed == [("targets", "team", "Rde", 1)]


def test_what_nobody_is_credited_with_is_unassigned(con: duckdb.DuckDBPyConnection) -> None:
    # the line of D5, whose owners have 120 %, has no rate
    for subject in ("member:unassigned", "team:unassigned"):
        found = kpi(con, subject, "2026-M03", "net_revenue", "subject_name", "sample_size", "status")
        assert found == ("Unassigned", 1, "no_rate")


def test_sales_credited_to_nobody_say_why(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select dealer_id, fiscal_month_start, unassigned_reason, line_count, no_rate_line_count, net_amount"
        " from marts.mart_kpi__uncredited_sale"
    ).fetchall()
    assert rows == [("D5", company.mar(1), "shares above 100 %", 1, 1, None)]


def test_a_month_without_any_line_is_not_covered(con: duckdb.DuckDBPyConnection) -> None:
    # nothing was delivered between March and December 2025
    found = kpi(con, "dealer:D2", "2025-M06", "net_revenue", "value", "status", "status_reason")
    assert found == (None, "no_data", "no sales delivered for the period")
    # and of the year three months are there
    found = kpi(con, "company:company", "2025", "net_revenue", "value", "status", "status_reason")
    assert found == (Decimal(3000), "ok", "sales cover only a part of the period")


def test_facts_name_their_source_rows(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        """select fact.transaction_id from marts.fct_sale_line as fact
        left join lake.sales as lake using (_delivery_id, _source_file, _row_number, _row_part)
        where
            fact.transaction_id is distinct from lake.transaction_id
            or fact.net_amount is distinct from lake.net_amount"""
    ).fetchall()
    assert rows == []


def test_dealers_keep_their_windows(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute(
        "select dealer_id, valid_from, valid_to, is_current, region, dealer_name "
        "from marts.dim_dealer where dealer_id in ('D1', 'D2')"
    ).fetchall()
    forever = date(9999, 12, 31)
    assert sorted(rows) == [
        ("D1", company.START, company.feb(1), False, "North", "Right name"),
        ("D1", company.feb(1), forever, True, "South", "D1"),
        ("D2", company.START, forever, True, "South", "D2"),  # the row that never held cuts nothing
    ]


def test_shares_above_the_whole_credit_nobody(con: duckdb.DuckDBPyConnection) -> None:
    credited = con.execute(
        "select member_id, member_team, credit_pct from intermediate.int_credit__sale_line where transaction_id = 'T8'"
    ).fetchall()
    assert credited == [("unassigned", "unassigned", 100)]
    reasons = con.execute(
        "select distinct held_reason from intermediate.int_credit__dealer_share"
        " where dealer_id = 'D5' and member_id <> 'unassigned'"
    ).fetchall()
    assert reasons == [("shares above 100 %",)]


INCREMENTAL = (
    "marts.fct_sale_line", "intermediate.int_credit__sale_line", "intermediate.int_sales__dealer_month",
    "intermediate.int_credit__member_month",
)  # fmt: skip


def rows_of(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    return sorted(con.execute(f"select * from {table}").fetchall(), key=repr)


def test_a_correction_that_reaches_back_gives_what_a_full_build_gives(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """The line that moves from January to March dirties both months; a third month stays untouched."""
    sales = [{**row, "_row_number": number} for number, row in enumerate(company.FEEDS["sales"], start=2)]
    late = [row for row in sales if row["_received_date"] > company.mar(1)]
    early = {**company.FEEDS, "sales": [row for row in sales if row not in late]}
    path = warehouse.make(tmp_path / "later", early, company.COMPANY)
    selected = ("--select", *(f"+{table.split('.')[1]}" for table in INCREMENTAL))
    warehouse.build(path, *selected, command="run")
    warehouse.add(path, {"sales": late})
    with duckdb.connect(str(path)) as later:
        # a mark on a month that is not redone shows that it was not
        later.execute("update marts.fct_sale_line set channel = 'mark' where sale_date = ?", [company.feb(14)])
        later.execute("delete from meta.dirty_month where month_start not in (?, ?)", [company.jan(1), company.mar(1)])
    warehouse.build(path, *selected, command="run")
    with duckdb.connect(str(path)) as later:
        marked = later.execute("select transaction_id from marts.fct_sale_line where channel = 'mark'").fetchall()
        assert marked == [("T5",)]
        later.execute("update marts.fct_sale_line set channel = 'sell_in' where channel = 'mark'")
        for table in INCREMENTAL:
            assert rows_of(later, table) == rows_of(con, table), table
