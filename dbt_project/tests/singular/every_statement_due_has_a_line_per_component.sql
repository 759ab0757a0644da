-- Whoever has a plan that can be applied gets a line for each of its components, and whoever gets a line has a plan. Where it
-- cannot be applied what was credited all the same has lines, which are held.
with

due as (
    select
        payee_period.scenario_id,
        payee_period.payee_type,
        payee_period.payee_id,
        payee_period.plan_id,
        component.component_id,
        payee_period.period_id,
        payee_period.stopped_reason is not null as is_stopped
    from {{ ref('int_incentive__payee_period') }} as payee_period
    inner join {{ source('config', 'plan_component') }} as component
        on
            payee_period.scenario_id = component.scenario_id
            and payee_period.plan_id = component.plan_id
            and payee_period.plan_version = component.plan_version
),

written as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        component_id,
        period_id,
        count(amount) as paid_count
    from {{ ref('mart_incentive__statement_line') }}
    -- Of earlier periods there are lines also for who no longer has the plan.
    where
        line_kind = 'earned'
        and line_detail not like '% %'
    group by scenario_id, payee_type, payee_id, plan_id, component_id, period_id
)

select
    coalesce(due.payee_id, written.payee_id) as payee_id,
    coalesce(due.plan_id, written.plan_id) as plan_id,
    coalesce(due.component_id, written.component_id) as component_id,
    coalesce(due.period_id, written.period_id) as period_id,
    due.payee_id is not null as is_due,
    written.payee_id is not null as is_written
from due
full outer join written
    on
        due.scenario_id = written.scenario_id
        and due.payee_type = written.payee_type
        and due.payee_id = written.payee_id
        and due.plan_id = written.plan_id
        and due.component_id = written.component_id
        and due.period_id = written.period_id
where
    due.payee_id is null
    or (written.payee_id is null and not due.is_stopped)
    or (due.is_stopped and written.paid_count > 0)
