-- Grain: one row per scenario, payee, plan, component and period.
with

target as (
    select * from {{ ref('int_incentive__target') }}
),

credited_month as (
    select * from {{ ref('int_incentive__credited_month') }}
),

summed as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        component_id,
        period_id,
        cast(sum(known_amount) as decimal(28, 8)) as known_amount,
        sum(line_count) as line_count,
        sum(unconverted_count) as unconverted_count
    from credited_month
    group by scenario_id, payee_type, payee_id, plan_id, component_id, period_id
),

-- No sale line is a revenue of zero; a sale line without a rate makes the revenue unknown.
joined as (
    select
        target.scenario_id,
        target.payee_type,
        target.payee_id,
        target.plan_id,
        target.component_id,
        target.period_id,
        coalesce(summed.line_count, 0) as line_count,
        case when coalesce(summed.unconverted_count, 0) = 0 then coalesce(summed.known_amount, 0) end as credited_amount,
        target.target_value,
        target.target_ids,
        case when summed.unconverted_count > 0 then 'held' else target.status end as status,
        case
            when summed.unconverted_count > 0
                then concat('sale lines without a plan rate: ', cast(summed.unconverted_count as string))
            else target.reason
        end as reason
    from target
    left join summed
        on
            target.scenario_id = summed.scenario_id
            and target.payee_type = summed.payee_type
            and target.payee_id = summed.payee_id
            and target.plan_id = summed.plan_id
            and target.component_id = summed.component_id
            and target.period_id = summed.period_id
),

final as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        component_id,
        period_id,
        cast(line_count as bigint) as line_count,
        cast(credited_amount as decimal(28, 8)) as credited_amount,
        target_value,
        target_ids,
        case
            when status = 'ok'
                then cast({{ exact_divide('credited_amount', 'target_value', 8) }} as decimal(28, 8))
        end as attainment,
        status,
        reason
    from joined
)

select * from final
