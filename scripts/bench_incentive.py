#!/usr/bin/env python
"""Time the statements of 500 payees in twelve months from millions of credited lines, beside hand-written SQL.

The plan has three components: marginal bands on attainment, one rate on everything by the month's amount, and an amount
per unit of one category. The models run from the credited lines on, dbt's start stated apart; the hand-written SQL
gives the same statements, to the cent, alone, and then with the cents of every sale line, as the models do. Then a
thousand cases of plan tests.
"""

from __future__ import annotations

import argparse
import datetime as dt
import resource
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import duckdb
import yaml

from dealermart.base import Settings, load_settings
from dealermart.config import load_cases, load_contracts, load_registry
from dealermart.warehouse import check_cases
from dealermart.warehouse.case_run import STATEMENTS, CaseGraph
from dealermart.warehouse.dbt import dbt_models

PAYEES, MONTHS, TARGET = 500, 12, 3_000_000
MARK = "t0~"  # ids of the first case

PLAN = {
    "plan": "bench",
    "period": "month",
    "components": [
        {
            "id": "revenue",
            "measure": {"of": "net_revenue"},
            "target": {"value": TARGET},
            "rate": {
                "basis": "attainment",
                "rule": "marginal",
                "outside": "zero",
                "bands": [
                    {"from": 0, "to": 0.8, "value": 1},
                    {"from": 0.8, "to": 1, "value": 1.5},
                    {"from": 1, "value": 2.5},
                ],
            },
        },
        {
            "id": "volume",
            "measure": {"of": "net_revenue"},
            "rate": {
                "basis": "amount",
                "rule": "whole_base",
                "outside": "zero",
                "bands": [{"from": 0, "to": 3000000, "value": 0.1}, {"from": 3000000, "value": 0.2}],
            },
        },
        {
            "id": "bikes",
            "measure": {"of": "units"},
            "filter": {"product_category": ["Bikes"]},
            "rate": {"basis": "none", "pays": "per_unit", "value": 0.05},
        },
    ],
}

# A quarter of the lines are bikes; amounts in whole cents, so that both ways sum exactly.
LINES = """
    create table {table} as
    select
        'T' || (i // 4) as transaction_id,
        cast(i % 4 + 1 as bigint) as line_no,
        'invoice' as transaction_type,
        'sell_in' as channel,
        '{mark}D' || (i % 3000) as dealer_id,
        'North' as dealer_region,
        'A' as dealer_tier,
        '{mark}P' || (i % 2000) as product_id,
        cast(null as varchar) as product_subcategory,
        cast(null as varchar) as product_brand,
        '{mark}M' || ((i // 4) % {payees}) as member_id,
        'seller' as credit_role,
        cast(100 as decimal(9, 4)) as credit_pct,
        cast(0 as decimal(9, 4)) as pct_before,
        cast(null as varchar) as unassigned_reason,
        date '2026-01-01' + cast((i * 2654435761 // 4) % 365 as integer) as sale_date,
        date '2026-01-01' + cast((i * 2654435761 // 4) % 365 as integer) as credit_date,
        cast(date_trunc('month', date '2026-01-01' + cast((i * 2654435761 // 4) % 365 as integer)) as date)
            as fiscal_month_start,
        cast(null as varchar) as original_transaction_id,
        cast(null as bigint) as original_line_no,
        cast(i % 7 + 1 as decimal(18, 4)) as quantity,
        cast(0 as decimal(18, 4)) as discount_amount,
        cast((i * 2246822519 % {top} + 100) / 100 as decimal(18, 4)) as net_amount,
        cast(null as decimal(18, 4)) as cost_amount,
        'CNY' as currency_code,
        cast(1 as decimal(18, 10)) as fx_rate,
        cast(1 as decimal(18, 10)) as plan_fx_rate,
        cast((i * 2246822519 % {top} + 100) / 100 as decimal(28, 8)) as net_amount_plan,
        'Red' as member_team,
        case when i % 4 = 0 then 'Bikes' else 'Clothing' end as product_category
    from range({lines}) as made(i)
"""

HAND = f"""
    with month as (
        select
            member_id,
            fiscal_month_start,
            sum(net_amount_plan) as amount,
            sum(case when product_category = 'Bikes' then quantity else 0 end) as units
        from credited
        group by member_id, fiscal_month_start
    )
    select
        member_id,
        fiscal_month_start,
        cast(least(amount, 0.8 * {TARGET}) * 0.01 as decimal(18, 2))
        + cast(greatest(least(amount, {TARGET}) - 0.8 * {TARGET}, 0) * 0.015 as decimal(18, 2))
        + cast(greatest(amount - {TARGET}, 0) * 0.025 as decimal(18, 2))
        + cast(amount * case when amount < 3000000 then 0.001 else 0.002 end as decimal(18, 2))
        + cast(units * 0.05 as decimal(18, 2)) as paid
    from month
"""

# What each sale line has of each line of a statement: differences of a rounded total that runs in their order.
HAND_SOURCES = f"""
    with line as (
        select
            member_id,
            fiscal_month_start,
            transaction_id,
            line_no,
            product_category,
            net_amount_plan as net,
            quantity,
            sum(net_amount_plan) over sold as net_after,
            sum(case when product_category = 'Bikes' then quantity else 0 end) over sold as units_after,
            sum(net_amount_plan) over (partition by member_id, fiscal_month_start) as net_of_month
        from credited
        window sold as (
            partition by member_id, fiscal_month_start order by sale_date, transaction_id, line_no
            rows between unbounded preceding and current row
        )
    ),
    band as (
        select * from (values
            (1, 0, 0.8 * {TARGET}, 0.01), (2, 0.8 * {TARGET}, {TARGET}, 0.015), (3, {TARGET}, 1000000000000000, 0.025)
        ) as found (band_no, lower_end, upper_end, rate)
    ),
    part as (
        select
            member_id, fiscal_month_start, 'revenue' as component, band_no, transaction_id, line_no,
            cast((least(greatest(net_after, lower_end), upper_end) - lower_end) * rate as decimal(18, 2))
            - cast((least(greatest(net_after - net, lower_end), upper_end) - lower_end) * rate as decimal(18, 2))
            as amount
        from line
        inner join band on net_after > lower_end and net_after - net < upper_end
        union all
        select
            member_id, fiscal_month_start, 'volume', 1, transaction_id, line_no,
            cast(net_after * case when net_of_month < 3000000 then 0.001 else 0.002 end as decimal(18, 2))
            - cast((net_after - net) * case when net_of_month < 3000000 then 0.001 else 0.002 end as decimal(18, 2))
        from line
        union all
        select
            member_id, fiscal_month_start, 'bikes', 1, transaction_id, line_no,
            cast(units_after * 0.05 as decimal(18, 2)) - cast((units_after - quantity) * 0.05 as decimal(18, 2))
        from line
        where product_category = 'Bikes'
    )
    select * from part
"""


def main() -> int:
    """Run all. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--lines", type=int, default=20_000_000, help="credited lines")
    parser.add_argument("--cases", type=int, default=1000, help="cases of plan tests")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dealermart-bench-") as folder:
        settings = replace(load_settings(), home=Path(folder), memory_limit="5GiB", threads=2)
        if options.lines:
            _statements(settings, options.lines)
        if options.cases:
            _cases(settings, options.cases)
    return 0


def _statements(settings: Settings, lines: int) -> None:
    """The models and the hand-written SQL on one warehouse; refuses to print a time where the two differ."""
    case = {
        "case": "bench",
        "plan": PLAN,
        "period": "2026-M12",
        "payees": [{"payee_id": f"M{number}", "valid_from": dt.date(2026, 1, 1)} for number in range(PAYEES)],
        "sales": [{"transaction_id": "T", "seller_id": "M0", "net_amount": 1, "sale_date": dt.date(2026, 1, 5)}],
        "expect": {"payout": {}, "reasons": [], "lines": [{"payee": "M0", "component": "revenue"}]},
    }
    file = settings.home / "bench.yml"
    file.write_text(yaml.safe_dump({"cases": [case]}), "utf-8")
    check_cases(settings, load_cases(file, load_contracts(settings), load_registry(settings)), lambda said: None)
    room = settings.home / "plan_test"
    (warehouse,) = room.glob("*.duckdb")
    with duckdb.connect(str(warehouse), config={"threads": 2}) as con:
        con.execute("drop table intermediate.int_credit__sale_line")
        top = 2 * TARGET * 100 * PAYEES * MONTHS // lines
        table = "intermediate.int_credit__sale_line"
        con.execute(LINES.format(table=table, mark=MARK, payees=PAYEES, lines=lines, top=top))
        con.execute("checkpoint")
    graph = CaseGraph.parsed(settings, room, lambda said: None)
    names = [*STATEMENTS, "mart_incentive__line_source"]
    upstream = {"int_credit__sale_line", "fct_sale_line", "int_kpi__subject_period", "int_kpi__feed_month"}
    models = [name for name in graph.needed(names, tuple(upstream)) if "_incentive__" in name]
    inputs = {
        "as_of": "2027-01-08 00:00:00",
        "as_of_date": "2027-01-08",
        "received_until": "2027-01-08",
        "period_end": "2027-01-01",
    }

    def run(wanted: list[str]) -> float:
        begun = time.monotonic()
        dbt_models(settings, room, warehouse, inputs, wanted)
        return time.monotonic() - begun

    start = run(["int_incentive__assignment"])
    with duckdb.connect(str(warehouse)) as con:  # a first build, not one that writes over what the case left
        built = con.execute("select table_schema, table_name, table_type from information_schema.tables").fetchall()
        for schema, name, kind in built:
            if name in models:
                con.execute(f"drop {'view' if kind == 'VIEW' else 'table'} {schema}.{name} cascade")
    source = run(models)
    with duckdb.connect(str(warehouse), config={"threads": 2, "memory_limit": "5GB"}) as con:
        con.execute("create view credited as select * from intermediate.int_credit__sale_line")
        begun = time.monotonic()
        con.execute(f"create table by_hand as {HAND}")
        hand = time.monotonic() - begun
        begun = time.monotonic()
        con.execute(f"create table sources_by_hand as {HAND_SOURCES}")
        hand_sources = time.monotonic() - begun
        ((apart, shares),) = con.execute(
            """
            with mine as (
                select component, transaction_id, line_no, sum(amount) as amount
                from sources_by_hand group by all
            ),
            theirs as (
                select line.component_id as component, source.transaction_id, source.line_no,
                    sum(source.amount) as amount
                from marts.mart_incentive__line_source as source
                inner join marts.mart_incentive__statement_line as line using (statement_line_id)
                where source.transaction_id is not null
                group by all
            )
            select count(*) filter (where mine.amount is distinct from theirs.amount), count(*)
            from mine full outer join theirs using (component, transaction_id, line_no)
            """
        ).fetchall()
        ((differ, statements),) = con.execute(
            """
            select count(*) filter (where by_hand.paid is distinct from statement.amount), count(*)
            from marts.mart_incentive__statement as statement
            full outer join by_hand
                on statement.payee_id = by_hand.member_id and statement.period_start = by_hand.fiscal_month_start
            """
        ).fetchall()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if differ:
        sys.exit(f"{differ} of {statements} statements differ between the models and the hand-written SQL")
    if apart:
        sys.exit(f"{apart} of {shares} shares of sale lines differ between the models and the hand-written SQL")
    whole = hand + hand_sources
    print(f"{lines:,} credited lines, {PAYEES} payees, {MONTHS} months, three components")
    print(f"  {statements:,} statements and {shares:,} shares of sale lines equal to the cent")
    print(f"  models {source - start:.1f} s, with the sources of all lines; dbt's start {start:.1f} s apart")
    print(f"  hand-written SQL of the statements alone {hand:.1f} s: {(source - start) / hand:.1f} x")
    print(f"  the same with the cents of every line {whole:.1f} s: {(source - start) / whole:.1f} x")
    print(f"  peak memory of the models {peak:,.0f} MiB")


def _cases(settings: Settings, number: int) -> None:
    """A thousand cases, as many plans."""
    cases = [
        {
            "case": f"case {index}",
            "plan": PLAN,
            "period": "2026-M02",
            "payees": [{"payee_id": "A", "valid_from": dt.date(2026, 1, 1)}],
            "sales": [
                {"transaction_id": "T", "seller_id": "A", "net_amount": 1000 + index, "sale_date": dt.date(2026, 2, 5)},
            ],
            # 1 % in the first band, and 0.1 % of everything.
            "expect": {"lines": [{"payee": "A", "component": "revenue", "band": 1, "base": 1000 + index}]},
        }
        for index in range(number)
    ]
    file = settings.home / "cases.yml"
    file.write_text(yaml.safe_dump({"cases": cases}), "utf-8")
    shutil.rmtree(settings.home / "plan_test", ignore_errors=True)
    for name in ("first", "second"):
        begun = time.monotonic()
        tests = load_cases(file, load_contracts(settings), load_registry(settings))
        outcomes = check_cases(settings, tests, lambda said: None)
        wrong = sum(not outcome.is_ok for outcome in outcomes)
        print(f"{number:,} cases, {name} call: {time.monotonic() - begun:.1f} s, {wrong} differ", flush=True)


if __name__ == "__main__":
    sys.exit(main())
