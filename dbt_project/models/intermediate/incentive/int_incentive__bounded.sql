-- Grain: one row per scenario, payee, plan version, currency and period: what the components come to, within the plan's limits.
{%- set key = payee_key(['currency_code', 'period_id']) %}
with

line as (
    select * from {{ ref('int_incentive__line') }}
),

settled as (
    select * from {{ ref('int_incentive__settled') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
),

counted as (
    select
        {{ key | join(', ') }},
        amount
    from line
    union all
    select
        {{ key | join(', ') }},
        amount
    from settled
),

summed as (
    select
        {{ key | join(', ') }},
        coalesce(sum(amount), 0) as amount
    from counted
    group by {{ key | join(', ') }}
),

final as (
    select
        {{ columns_of('payee_period', key) }},
        payee_period.period_type,
        payee_period.period_start,
        payee_period.period_no,
        payee_period.plan_days,
        payee_period.period_days,
        payee_period.plan_working_days,
        payee_period.period_working_days,
        payee_period.plan_months,
        payee_period.period_months,
        payee_period.version_count,
        payee_period.target_pay_amount,
        cast(coalesce(summed.amount, 0) as decimal(18, 2)) as amount,
        cast(least(
            greatest(coalesce(summed.amount, 0), plan.floor_amount),
            {{ round_pay(
                'least(plan.cap_amount, cast(' ~ multiply('payee_period.target_pay_amount', 'plan.cap_pct') ~ ' as decimal(28, 8)))',
                'payee_period.currency_code'
            ) }}
        ) as decimal(18, 2)) as limited_amount
    from payee_period
    inner join plan on {{ same_key('payee_period', 'plan', plan_key()) }}
    left join summed on {{ same_key('payee_period', 'summed', key) }}
)

select * from final
