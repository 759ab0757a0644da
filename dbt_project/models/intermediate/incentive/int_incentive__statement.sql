-- Grain: one row per scenario, payee, plan version, period and currency.
{%- set key = payee_key(['period_id', 'currency_code']) %}
with

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
),

statement_line as (
    select * from {{ ref('int_incentive__statement_line') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

summed as (
    select
        {{ key | join(', ') }},
        count(*) as line_count,
        count(*) - count(amount) as held_line_count,
        sum(amount) as amount
    from statement_line
    group by {{ key | join(', ') }}
),

-- Who waits for a plan that cannot be applied has a statement too, and so has who is paid without one.
due as (
    select
        {{ key | join(', ') }},
        max(stopped_reason) as stopped_reason
    from (
        select
            {{ key | join(', ') }},
            stopped_reason
        from payee_period
        union all
        select
            {{ key | join(', ') }},
            cast(null as string) as stopped_reason
        from summed
    ) as listed
    group by {{ key | join(', ') }}
),

final as (
    select
        due.scenario_id,
        due.payee_type,
        due.payee_id,
        due.plan_id,
        cast(due.plan_version as integer) as plan_version,
        plan.plan_hash,
        plan.plan_file,
        due.period_id,
        period.period_start,
        period.period_end,
        period.is_complete,
        cast(coalesce(summed.line_count, 0) as bigint) as line_count,
        cast(coalesce(summed.held_line_count, 0) as bigint) as held_line_count,
        cast(coalesce(summed.amount, 0) as decimal(18, 2)) as amount,
        due.currency_code,
        case
            when summed.line_count is null then 'not_paid'
            when summed.held_line_count > 0 then 'held'
            when summed.amount = 0 then 'not_paid'
            else 'paid'
        end as status,
        case
            when summed.line_count is null then due.stopped_reason
            when summed.held_line_count > 0 then 'some lines wait for a person; the amount is that of the others'
            when summed.amount = 0 then 'no line pays; each says why'
        end as reason
    from due
    inner join period on due.period_id = period.period_id
    left join plan on {{ same_key('due', 'plan', plan_key()) }}
    left join summed on {{ same_key('due', 'summed', key) }}
)

select * from final
