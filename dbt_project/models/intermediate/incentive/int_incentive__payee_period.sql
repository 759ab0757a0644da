-- Grain: one row per scenario, payee, plan and period in which the payee is assigned to the plan for a day or more.
with

plan_window as (
    select * from {{ ref('int_incentive__plan_window') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

scenario as (
    select scenario_id
    from plan
    union
    select 'paid' as scenario_id
),

period as (
    select * from {{ ref('dim_period') }}
),

-- A plan that the config does not know still shows, by the quarter, because somebody waits for its pay.
assigned as (
    select
        scenario.scenario_id,
        plan_window.payee_type,
        plan_window.payee_id,
        plan_window.plan_id,
        period.period_id,
        period.period_start,
        period.period_end,
        period.is_complete,
        plan.plan_version,
        plan.plan_hash,
        plan.plan_file,
        plan.currency_code,
        case
            when plan.plan_id is null then 'the plan is not in config/plans'
            when plan.payee_type <> plan_window.payee_type then 'the plan is not for payees of this type'
            when not coalesce(
                greatest(plan_window.valid_from, plan.valid_from, period.period_start)
                < least(plan_window.valid_to, plan.valid_to, period.period_end),
                false
            ) then 'the plan does not hold in the period'
        end as stopped_reason
    from plan_window
    cross join scenario
    left join plan
        on
            scenario.scenario_id = plan.scenario_id
            and plan_window.plan_id = plan.plan_id
    inner join period
        on
            coalesce(plan.period_type, 'quarter') = period.period_type
            and plan_window.valid_from < period.period_end
            and plan_window.valid_to > period.period_start
    where period.period_start < {{ built_until() }}
),

final as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        period_id,
        period_start,
        period_end,
        is_complete,
        plan_version,
        plan_hash,
        plan_file,
        currency_code,
        -- One window in which the plan holds is enough.
        case when count(*) = count(stopped_reason) then max(stopped_reason) end as stopped_reason
    from assigned
    group by
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        period_id,
        period_start,
        period_end,
        is_complete,
        plan_version,
        plan_hash,
        plan_file,
        currency_code
)

select * from final
