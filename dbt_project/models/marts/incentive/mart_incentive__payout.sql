-- Grain: one row per scenario, payee, period and currency: what is paid in all, whatever the plans.
with

statement as (
    select * from {{ ref('mart_incentive__statement') }}
),

final as (
    select
        scenario_id,
        payee_type,
        payee_id,
        period_id,
        period_start,
        period_end,
        is_complete,
        currency_code,
        count(*) as statement_count,
        cast(sum(held_line_count) as bigint) as held_line_count,
        cast(sum(amount) as decimal(18, 2)) as amount
    from statement
    group by scenario_id, payee_type, payee_id, period_id, period_start, period_end, is_complete, currency_code
)

select * from final
