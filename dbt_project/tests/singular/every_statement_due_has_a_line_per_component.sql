-- Whoever has a plan that can be applied gets a line for each of its components, and whoever gets a line has a plan.
with

due as (
    select
        payee_period.scenario_id,
        payee_period.payee_type,
        payee_period.payee_id,
        payee_period.plan_id,
        component.component_id,
        payee_period.period_id
    from {{ ref('int_incentive__payee_period') }} as payee_period
    inner join {{ source('config', 'plan_component') }} as component
        on
            payee_period.scenario_id = component.scenario_id
            and payee_period.plan_id = component.plan_id
    where payee_period.stopped_reason is null
),

written as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        component_id,
        period_id
    from {{ ref('mart_incentive__statement_line') }}
    group by scenario_id, payee_type, payee_id, plan_id, component_id, period_id
)

(
    select *, 'no line' as fault from due
    except
    select *, 'no line' as fault from written
)
union all
(
    select *, 'not due' as fault from written
    except
    select *, 'not due' as fault from due
)
