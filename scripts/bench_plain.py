"""The tables of the build's benchmark by hand-written DuckDB SQL in one run, and whether they are the same row by row.

Hand-written means: for this company alone. Nothing is incremental, no reason stands beside a missing value, nothing is tested,
and what cannot happen here (a line without a rate, shares above the whole) is not asked for.

Compared are all rows of fct_sale_line, mart_incentive__statement_line and mart_incentive__line_source, and of
mart_kpi__subject_period those of the five KPIs of KPIS that have a value made of at least one sale line, of all six kinds
of subjects: in the columns that COMPARED names, both ways. No other KPI is made by hand, so the models of other KPIs,
units, deals, discounts and collections of sales among them, are not timed (BESIDE).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from dealermart import lake
from dealermart.base import Settings, connect, literal

# Models between the sale line and what is compared, each with the part of it that is about sales.
SALES = "int_current__sale_line+,+int_kpi__sales_value"
PAY = "int_current__sale_line+,+mart_incentive__line_source"
# Made of sale lines too, but for KPIs that the hand-written SQL leaves out; whom they name is on the path.
BESIDE = (
    "intermediate.measure", "intermediate.deal", "intermediate.collection", "fct_payment_allocation", "int_kpi__measure_period",
    "int_sales__cell_month",
)  # fmt: skip
# They hold all KPIs.
SHARED = ("int_kpi__value_state", "int_kpi__subject_period", "mart_kpi__subject_period")
KPIS = ("net_revenue", "gross_margin_amount", "gross_margin_pct", "growth_previous_pct", "growth_last_year_pct")

_AMOUNTS = "net_amount_reporting, net_amount_plan, cost_amount_reporting, cost_amount_plan"
TABLES = {
    "dealer": "from dealers select *, coalesce(lead(valid_from) over (partition by dealer_id order by valid_from), '9999-12-31') as until",
    "product": "from products select *, coalesce(lead(valid_from) over (partition by product_id order by valid_from), '9999-12-31') as until",
    "member": "from team_members select *, coalesce(lead(valid_from) over (partition by member_id order by valid_from), '9999-12-31') as until",
    "rate": """
        select rate_date, from_currency_code as currency_code, rate_type, rate from fx_rates
        union all select date '2000-01-01', 'CNY', unnest(['market', 'plan']), 1
    """,
    "fct_sale_line": """
        with winner as (
            select * from sales
            qualify row_number() over (
                partition by transaction_id, line_no order by _received_date desc, _delivery_id desc, _row_number desc
            ) = 1
        )
        select
            transaction_id, line_no, transaction_type, channel, winner.dealer_id, winner.product_id, seller_id, sale_date,
            cast(date_trunc('month', sale_date) as date) as fiscal_month_start, quantity, unit_price_amount,
            discount_amount, net_amount, cost_amount, winner.currency_code, market.rate as fx_rate, plan.rate as plan_fx_rate,
            cast(round(cast(net_amount as decimal(28, 8)) * market.rate, 8) as decimal(28, 8)) as net_amount_reporting,
            cast(round(cast(cost_amount as decimal(28, 8)) * market.rate, 8) as decimal(28, 8)) as cost_amount_reporting,
            cast(round(cast(net_amount as decimal(28, 8)) * plan.rate, 8) as decimal(28, 8)) as net_amount_plan,
            cast(round(cast(cost_amount as decimal(28, 8)) * plan.rate, 8) as decimal(28, 8)) as cost_amount_plan,
            product.category as product_category, dealer.region as dealer_region, dealer.tier as dealer_tier,
            original_transaction_id, original_line_no, winner._source_file, winner._delivery_id, winner._row_number
        from winner
        asof join (from rate where rate_type = 'market') as market
            on winner.currency_code = market.currency_code and sale_date >= market.rate_date
        asof join (from rate where rate_type = 'plan') as plan
            on winner.currency_code = plan.currency_code and sale_date >= plan.rate_date
        join dealer
            on winner.dealer_id = dealer.dealer_id and sale_date >= dealer.valid_from and sale_date < dealer.until
        join product
            on winner.product_id = product.product_id and sale_date >= product.valid_from and sale_date < product.until
    """,
    "credit": f"""
        with owner as (
            select
                dealer_id, member_id, role, valid_from, coalesce(valid_to, '9999-12-31') as until,
                case when role = 'co_owner' then 30 else coalesce(split_pct, 100) end as pct
            from assignments
        ),
        credited as (
            select
                transaction_id, line_no, sale_date, fiscal_month_start, product_category, 'seller' as credit_role,
                seller_id as member_id, {_AMOUNTS}
            from fct_sale_line where channel = 'sell_in' and seller_id is not null
            union all
            select
                transaction_id, line_no, sale_date, fiscal_month_start, product_category, role, member_id,
                {", ".join(
                    f"cast(case when pct = 100 then {name} when role = 'owner' then round({name} * pct / 100, 8)"
                    f" else {name} - round({name} * (100 - pct) / 100, 8) end as decimal(28, 8))"
                    for name in ("net_amount_reporting", "net_amount_plan", "cost_amount_reporting", "cost_amount_plan")
                ).replace("* pct / 100", "* cast(0.7 as decimal(18, 10))").replace("* (100 - pct) / 100", "* cast(0.7 as decimal(18, 10))")}
            from fct_sale_line join owner using (dealer_id)
            where channel = 'sell_in' and seller_id is null and sale_date >= valid_from and sale_date < until
        )
        select credited.*, team
        from credited join member using (member_id)
        where sale_date >= member.valid_from and sale_date < member.until
    """,
    "month_sum": """
        with dealer_month as (
            select
                dealer_id, dealer_region, product_category, fiscal_month_start, count(*) as lines,
                sum(net_amount_reporting) as net, sum(net_amount_reporting - cost_amount_reporting) as margin
            from fct_sale_line where channel = 'sell_in' group by all
        ),
        member_month as (
            select
                member_id, team, fiscal_month_start, count(*) as lines,
                sum(net_amount_reporting) as net, sum(net_amount_reporting - cost_amount_reporting) as margin
            from credit group by all
        )
        select 'dealer' as subject_type, dealer_id as subject_id, * exclude (dealer_id, dealer_region, product_category) from dealer_month
        union all select 'region', dealer_region, * exclude (dealer_id, dealer_region, product_category) from dealer_month
        union all select 'company', 'company', * exclude (dealer_id, dealer_region, product_category) from dealer_month
        union all select 'category', product_category, * exclude (dealer_id, dealer_region, product_category) from dealer_month
        union all select 'member', member_id, * exclude (member_id, team) from member_month
        union all select 'team', team, * exclude (member_id, team) from member_month
    """,
    "period_sum": """
        select
            subject_type, subject_id, period.*, cast(sum(lines) as bigint) as lines,
            cast(sum(net) as decimal(28, 8)) as net, cast(sum(margin) as decimal(28, 8)) as margin
        from month_sum join (
            select fiscal_month_start, strftime(fiscal_month_start, '%Y-M%m') as period_id, 1 as months,
                fiscal_month_start as starts from (select distinct fiscal_month_start from month_sum)
            union all
            select fiscal_month_start, year(fiscal_month_start) || '-Q' || quarter(fiscal_month_start), 3,
                cast(date_trunc('quarter', fiscal_month_start) as date) from (select distinct fiscal_month_start from month_sum)
            union all
            select fiscal_month_start, cast(year(fiscal_month_start) as varchar), 12,
                cast(date_trunc('year', fiscal_month_start) as date) from (select distinct fiscal_month_start from month_sum)
        ) as period using (fiscal_month_start)
        group by subject_type, subject_id, period_id, months, starts, fiscal_month_start
    """.replace("period.*,", "period_id, months, starts,").replace("starts, fiscal_month_start\n    ", "starts\n    "),
    "subject_period": """
        with ended as (from period_sum where starts + to_months(months) <= date '{received}')
        select subject_type, subject_id, period_id, 'net_revenue' as kpi_code, net as value, lines as sample_size from period_sum
        union all
        select subject_type, subject_id, period_id, 'gross_margin_amount', margin, lines from period_sum
        union all
        select subject_type, subject_id, period_id, 'gross_margin_pct', {share}, lines from period_sum where net > 0
        union all
        select now.subject_type, now.subject_id, now.period_id, 'growth_previous_pct', {growth}, now.lines
        from ended as now join ended as base using (subject_type, subject_id, months)
        where base.starts + to_months(months) = now.starts and base.net > 0
        union all
        select now.subject_type, now.subject_id, now.period_id, 'growth_last_year_pct', {growth}, now.lines
        from ended as now join ended as base using (subject_type, subject_id, months)
        where base.starts + to_months(12) = now.starts and base.net > 0
    """,
    "statement_line": """
        with achieved as (
            select member_id, year(sale_date) || '-Q' || quarter(sale_date) as period_id, sum(net_amount_plan) as total
            from credit group by all
        ),
        aimed as (
            select
                subject_id as member_id, year(valid_from) || '-Q' || quarter(valid_from) as period_id,
                cast(target_value as decimal(28, 8)) as target
            from targets where subject_type = 'member'
        ),
        joined as (
            select aimed.member_id, aimed.period_id, target, coalesce(total, 0) as total
            from aimed left join achieved using (member_id, period_id)
        ),
        band(number, low, high, rate) as (values
            (2, 0::decimal(18, 6), 0.8::decimal(18, 6), 0.01::decimal(18, 6)), (3, 0.8, 1, 0.015), (4, 1, null, 0.025), (1, null, 0, 0)
        )
        select
            'paid:member:' || member_id || ':sales_commission:1:commission:CNY:' || period_id || ':earned:1.' || number
                as statement_line_id,
            member_id, period_id, number, cast(low * target as decimal(28, 10)) as low_end,
            cast(high * target as decimal(28, 10)) as high_end, rate, total,
            cast(cast(greatest(least(total, high_end), low_end) - greatest(least(0, high_end), low_end) as decimal(28, 10)) * rate
                as decimal(18, 2)) as amount
        from joined cross join band
        union all
        select
            'paid:member:' || member_id || ':sales_commission:1:bonus:CNY:' || period_id || ':earned:1.'
                || case when total >= target then 2 else 1 end,
            member_id, period_id, 0, null, null, null, total, case when total >= target then 5000 else 0 end
        from joined
    """,
    "line_source": """
        with running as (
            select
                transaction_id, line_no, member_id, year(sale_date) || '-Q' || quarter(sale_date) as period_id, net_amount_plan,
                sum(net_amount_plan) over (
                    partition by member_id, year(sale_date), quarter(sale_date) order by sale_date, transaction_id, line_no
                    rows unbounded preceding
                )::decimal(28, 8) as after
            from credit
        ),
        sliced as (
            select
                statement_line_id, transaction_id, line_no, rate,
                cast(greatest(least(after, high_end), low_end) as decimal(28, 10)) as up_to,
                cast(greatest(least(after - net_amount_plan, high_end), low_end) as decimal(28, 10)) as up_from,
                cast(greatest(least(0, high_end), low_end) as decimal(28, 10)) as zero
            from running join statement_line using (member_id, period_id) where number > 0
        )
        select
            statement_line_id, transaction_id, line_no, cast(up_to - up_from as decimal(28, 10)) as credited_amount,
            cast(cast((up_to - zero) * rate as decimal(28, 2)) - cast((up_from - zero) * rate as decimal(28, 2)) as decimal(18, 2))
                as amount
        from sliced where up_to <> up_from
        union all
        select
            statement_line_id, transaction_id, line_no, net_amount_plan,
            case when amount > 0 then {cents_after} - {cents_before} else 0 end
        from running join statement_line using (member_id, period_id) where number = 0
    """,
}  # fmt: skip

# What of the marts is compared with what of the tables above.
SALE = (
    "transaction_id, line_no, channel, dealer_id, seller_id, sale_date, quantity, net_amount, net_amount_reporting, "
    "cost_amount_reporting, net_amount_plan, product_category, dealer_region, _delivery_id, _row_number"
)
FACTS = "subject_type, subject_id, period_id, kpi_code, value, sample_size"
COMPARED = {
    "fct_sale_line": (f"select {SALE} from built.marts.fct_sale_line", f"select {SALE} from fct_sale_line"),
    "mart_kpi__subject_period": (
        f"select {FACTS} from built.marts.mart_kpi__subject_period where sample_size > 0 and value is not null "
        f"and kpi_code in {KPIS}",
        f"select {FACTS} from subject_period",
    ),
    "mart_incentive__statement_line": (
        "select statement_line_id, amount from built.marts.mart_incentive__statement_line",
        "select statement_line_id, amount from statement_line",
    ),
    "mart_incentive__line_source": (
        "select statement_line_id, transaction_id, line_no, credited_amount, amount from built.marts.mart_incentive__line_source",
        "select statement_line_id, transaction_id, line_no, credited_amount, amount from line_source",
    ),
}


def count_lines(settings: Settings) -> int:
    """Sale lines of the fact."""
    with connect(settings, settings.warehouse, read_only=True) as con:
        return int(con.execute("select count(*) from marts.fct_sale_line").fetchall()[0][0])


def compare(settings: Settings, inputs: dict[str, str]) -> tuple[float, float, dict[str, int]]:
    """Time both ways to the same tables.

    Args:
        settings: Of a home that was just built in full.
        inputs: What its models were given.

    Returns:
        Seconds of ours and of the hand-written SQL, and the rows of each table that were compared.
    """
    ours = _ours(settings, inputs)
    path = settings.home / "plain.duckdb"
    path.unlink(missing_ok=True)
    log, taken, counts = lake.read(settings), {}, {}
    quarters = {"share": _divided("margin", "net"), "growth": _divided("(now.net - base.net)", "base.net")}
    quarters |= {"cents_after": _divided("(amount * after)", "total", 2), "received": inputs["received_until"]}
    quarters["cents_before"] = _divided("(amount * (after - net_amount_plan))", "total", 2)
    with connect(settings, path, spill=settings.home / "spill") as con:
        con.execute("set preserve_insertion_order = false")
        for feed in sorted(set(log.current.values())):
            files = ", ".join(literal(str(one)) for one in log.paths(settings, feed))
            con.execute(f"create view {feed} as from read_parquet([{files}], union_by_name = true)")
        for name, sql in TABLES.items():
            began = time.monotonic()
            for key, text in quarters.items():
                sql = sql.replace("{" + key + "}", text)
            con.execute(f"create table {name} as {sql}")
            taken[name] = time.monotonic() - began
        con.execute(f"attach {literal(str(settings.warehouse))} as built (read_only)")
        for name, (built, plain) in COMPARED.items():
            counts[name] = con.execute(f"select count(*) from ({plain})").fetchall()[0][0]
            for left, right, what in ((built, plain, "more"), (plain, built, "fewer")):
                found = con.execute(f"({left}) except all ({right}) limit 3").fetchall()
                if found:
                    print(f"error: {name}: the models have rows {what}\n  such as {found}", file=sys.stderr)
                    raise SystemExit(1)
    path.unlink()
    print("  hand-written: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in taken.items()))
    return ours, sum(taken.values()), counts


def _divided(numerator: str, denominator: str, scale: int = 8) -> str:
    """An exact quotient, half up, as one writes it by hand: in whole numbers."""
    top, bottom = (f"cast({side} * 100000000 as hugeint)" for side in (numerator, denominator))
    sign = f"case when ({numerator} < 0) <> ({denominator} < 0) then -1 else 1 end"
    whole = f"{sign} * ((2 * abs({top}) * 1{'0' * scale} + abs({bottom})) // (2 * abs({bottom})))"
    return f"cast(cast({whole} as decimal(28, 0)) * cast('0.{'0' * (scale - 1)}1' as decimal({scale}, {scale})) as decimal(28, {scale}))"


def _ours(settings: Settings, inputs: dict[str, str]) -> float:
    """Seconds of our models between the same ends, one after the other; of those that hold other KPIs too, the part of
    the rows that is about sales."""
    names = _timed_models(settings, inputs, [SALES, *SHARED], BESIDE)
    # Pay asks in which period a KPI differs, so all of them stand before it; here it is of sales alone.
    names |= _timed_models(settings, inputs, [PAY], (*BESIDE, SALES, "intermediate.kpi"))
    with connect(settings, settings.warehouse, read_only=True) as con:
        part = con.execute(
            f"select count(*) filter (where kpi_code in {KPIS}) / count(*) from intermediate.int_kpi__subject_period"
        ).fetchall()[0][0]
    names = {name: seconds * (part if name in SHARED else 1) for name, seconds in names.items()}
    shown = sorted(names.items(), key=lambda pair: -pair[1])[:12]
    print(
        f"\n  models ({part:.0%} of the lists of all KPIs): "
        + ", ".join(f"{name} {seconds:.1f}" for name, seconds in shown)
    )
    return sum(names.values())


def _timed_models(
    settings: Settings, inputs: dict[str, str], select: list[str], exclude: tuple[str, ...]
) -> dict[str, float]:
    """Seconds of each model of a selection, run one after the other."""
    target = settings.home / "dbt" / "target"
    env = {
        "DEALERMART_WAREHOUSE": str(settings.warehouse),
        "DEALERMART_THREADS": str(settings.threads),
        "DEALERMART_MEMORY_LIMIT": settings.memory_limit,
        "DEALERMART_TEMP_DIR": str(settings.home / "dbt" / "spill"),
    } | {f"DEALERMART_{name.upper()}": value for name, value in inputs.items()}
    command = [
        str(Path(sys.executable).with_name("dbt")), "run", "--full-refresh", "--threads", "1",
        "--project-dir", str(settings.dbt_project), "--profiles-dir", str(settings.dbt_project),
        "--target-path", str(target), "--log-path", str(settings.home / "dbt" / "logs"), "--select", *select,
        "--exclude", *exclude,
    ]  # fmt: skip
    subprocess.run(command, env={**os.environ, **env}, check=True, stdout=subprocess.DEVNULL)
    said = json.loads((target / "run_results.json").read_text("utf-8"))["results"]
    return {result["unique_id"].split(".")[2]: result["execution_time"] for result in said}
