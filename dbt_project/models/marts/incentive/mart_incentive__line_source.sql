-- Grain: one row per statement line and sale line behind it.
{{ by_fiscal_month('dirty_pay_month') }}
{%- set key = ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'period_id'] %}
with

-- The months to redo are those of whole periods of the plans: a running total begins with its period.
credited_line as (
    select * from {{ ref('int_incentive__credited_line') }}
    {% if is_incremental() %}
        where fiscal_month_start in (select month_start from {{ source('meta', 'dirty_pay_month') }})
    {% endif %}
),

statement_line as (
    select * from {{ ref('mart_incentive__statement_line') }}
),

sale_line as (
    select * from {{ ref('fct_sale_line') }}
    {% if is_incremental() %}
        where fiscal_month_start in (select month_start from {{ source('meta', 'dirty_pay_month') }})
    {% endif %}
),

-- The ends of a band are those of all of its sale lines: taken once, not for each of them.
bounded as (
    select
        *,
        {{ band_end('lower_bound', 'target_value') }} as lower_end,
        {{ band_end('upper_bound', 'target_value') }} as upper_end
    from statement_line
),

-- Sales fill the bands in the order of their dates, so what a sale line earns is the difference it made on its day.
-- Differences of one running total add up to the total, and so do its rounded cents.
running as (
    select
        *,
        cast(
            sum(credited_amount) over (
                partition by {{ key | join(', ') }}
                order by sale_date nulls last, transaction_id nulls last, line_no nulls last
                rows between unbounded preceding and current row
            ) as decimal(28, 8)
        ) as amount_after
    from credited_line
),

placed as (
    select
        running.transaction_id,
        running.line_no,
        running.credit_role,
        running.credit_pct,
        running.credited_amount,
        running.amount_after,
        cast(running.amount_after - running.credited_amount as decimal(28, 8)) as amount_before,
        bounded.scenario_id,
        bounded.statement_line_id,
        bounded.band_no,
        bounded.lower_end,
        bounded.upper_end,
        bounded.credited_amount as credited_total,
        bounded.rate,
        bounded.amount,
        bounded.status
    from running
    inner join bounded
        on
            running.scenario_id = bounded.scenario_id
            and running.payee_type = bounded.payee_type
            and running.payee_id = bounded.payee_id
            and running.plan_id = bounded.plan_id
            and running.component_id = bounded.component_id
            and running.period_id = bounded.period_id
),

commission as (
    select
        *,
        {{ slice_between('amount_after', 'lower_end', 'upper_end') }} as slice_after,
        {{ slice_between('amount_before', 'lower_end', 'upper_end') }} as slice_before
    from placed
    where band_no > 0
),

earned as (
    select
        scenario_id,
        statement_line_id,
        transaction_id,
        line_no,
        credit_role,
        credit_pct,
        cast(slice_after - slice_before as decimal(28, 10)) as credited_amount,
        case
            when status = 'held' then cast(null as decimal(18, 2))
            -- Where the line as a whole is not reached it has no rate to be held by.
            when rate is null then cast(0 as decimal(18, 2))
            else cast(
                {{ round_half_up('slice_after * rate', 2) }}
                - {{ round_half_up('slice_before * rate', 2) }} as decimal(18, 2)
            )
        end as amount
    from commission
    where slice_after <> slice_before

    union all

    -- Without bands a fixed amount, if any, is spread in proportion to the credited revenue.
    select
        scenario_id,
        statement_line_id,
        transaction_id,
        line_no,
        credit_role,
        credit_pct,
        cast(credited_amount as decimal(28, 10)) as credited_amount,
        case
            when status = 'paid'
                then cast(
                    {{ exact_divide('amount * amount_after', 'credited_total', 2) }}
                    - {{ exact_divide('amount * amount_before', 'credited_total', 2) }} as decimal(18, 2)
                )
            else amount
        end as amount
    from placed
    where band_no = 0
),

final as (
    select
        earned.scenario_id,
        earned.statement_line_id,
        'sales' as source_feed,
        earned.transaction_id,
        earned.line_no,
        sale_line._source,
        sale_line._source_file,
        sale_line._delivery_id,
        sale_line._row_number,
        sale_line._row_part,
        sale_line.fiscal_month_start,
        earned.credit_role,
        earned.credit_pct,
        earned.credited_amount,
        earned.amount
    from earned
    inner join sale_line
        on
            earned.transaction_id = sale_line.transaction_id
            and earned.line_no = sale_line.line_no
)

select * from final
