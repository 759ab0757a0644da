-- Grain: one row per scenario, payee, plan and period.
with

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
),

statement_line as (
    select * from {{ ref('mart_incentive__statement_line') }}
),

summed as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        period_id,
        count(*) as line_count,
        count(*) - count(amount) as held_line_count,
        sum(amount) as amount
    from statement_line
    group by scenario_id, payee_type, payee_id, plan_id, period_id
),

final as (
    select
        payee_period.scenario_id,
        payee_period.payee_type,
        payee_period.payee_id,
        payee_period.plan_id,
        payee_period.plan_version,
        payee_period.plan_hash,
        payee_period.plan_file,
        payee_period.period_id,
        payee_period.period_start,
        payee_period.period_end,
        payee_period.is_complete,
        cast(coalesce(summed.line_count, 0) as bigint) as line_count,
        cast(coalesce(summed.held_line_count, 0) as bigint) as held_line_count,
        cast(coalesce(summed.amount, 0) as decimal(18, 2)) as amount,
        payee_period.currency_code,
        case
            when payee_period.stopped_reason is not null then 'not_paid'
            when summed.held_line_count > 0 then 'held'
            when summed.amount = 0 then 'not_paid'
            else 'paid'
        end as status,
        case
            when payee_period.stopped_reason is not null then payee_period.stopped_reason
            when summed.held_line_count > 0 then 'some lines wait for a person; the amount is that of the others'
            when summed.amount = 0 then 'no line pays; each says why'
        end as reason
    from payee_period
    left join summed
        on
            payee_period.scenario_id = summed.scenario_id
            and payee_period.payee_type = summed.payee_type
            and payee_period.payee_id = summed.payee_id
            and payee_period.plan_id = summed.plan_id
            and payee_period.period_id = summed.period_id
)

select * from final
