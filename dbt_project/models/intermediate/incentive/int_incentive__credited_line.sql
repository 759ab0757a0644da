-- Grain: one row per scenario, payee, plan, component, period and sale line credited to the payee under the plan.
{{ by_fiscal_month('dirty_pay_month') }}

with

credit as (
    select * from {{ ref('int_credit__sale_line') }}
    {% if is_incremental() %}
        where fiscal_month_start in (select month_start from {{ source('meta', 'dirty_pay_month') }})
    {% endif %}
),

plan_window as (
    select *
    from {{ ref('int_incentive__plan_window') }}
    where payee_type = 'member'
),

payee_period as (
    select *
    from {{ ref('int_incentive__payee_period') }}
    where
        payee_type = 'member'
        and stopped_reason is null
),

plan as (
    select * from {{ source('config', 'plan') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

final as (
    select
        payee_period.scenario_id,
        payee_period.payee_type,
        payee_period.payee_id,
        payee_period.plan_id,
        component.component_id,
        payee_period.period_id,
        credit.transaction_id,
        credit.line_no,
        credit.sale_date,
        credit.fiscal_month_start,
        credit.credit_role,
        credit.credit_pct,
        credit.credited_net_amount_plan as credited_amount
    from credit
    inner join plan_window
        on
            credit.member_id = plan_window.payee_id
            and credit.sale_date >= plan_window.valid_from
            and credit.sale_date < plan_window.valid_to
    inner join payee_period
        on
            plan_window.payee_id = payee_period.payee_id
            and plan_window.plan_id = payee_period.plan_id
            and credit.sale_date >= payee_period.period_start
            and credit.sale_date < payee_period.period_end
    inner join plan
        on
            payee_period.scenario_id = plan.scenario_id
            and payee_period.plan_id = plan.plan_id
            and credit.sale_date >= plan.valid_from
            and credit.sale_date < coalesce(plan.valid_to, {{ open_end() }})
    inner join component
        on
            payee_period.scenario_id = component.scenario_id
            and payee_period.plan_id = component.plan_id
            and coalesce(component.product_category, credit.product_category, '')
            = coalesce(credit.product_category, '')
)

select * from final
