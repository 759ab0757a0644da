-- Grain: one row per scenario, payee, plan, component, period and fiscal month with a sale line credited.
{{ by_fiscal_month('dirty_pay_month') }}

with

credited_line as (
    select * from {{ ref('int_incentive__credited_line') }}
    {% if is_incremental() %}
        where fiscal_month_start in (select month_start from {{ source('meta', 'dirty_pay_month') }})
    {% endif %}
),

final as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        component_id,
        period_id,
        fiscal_month_start,
        cast(sum(credited_amount) as decimal(28, 8)) as known_amount,
        count(*) as line_count,
        count(*) - count(credited_amount) as unconverted_count
    from credited_line
    group by scenario_id, payee_type, payee_id, plan_id, component_id, period_id, fiscal_month_start
)

select * from final
