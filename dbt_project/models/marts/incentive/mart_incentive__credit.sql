-- Grain: one row per scenario, payee, plan version and event credited to the payee, by component and rule; or by none.
-- What was paid stays as it was.
{{ by_fiscal_month('int_incentive__pay_state') }}
with

event as {{ read_anew() }} (
    select * from {{ ref('int_incentive__event') }}
    where
        event_kind <> 'last_year'
        and {{ of_this_build('int_incentive__pay_state') }}
),

credit as (
    select * from {{ ref('int_credit__sale_line') }}
    where {{ of_this_build('int_incentive__pay_state') }}
),

plan_window as (
    select * from {{ ref('int_incentive__window') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

taken as (
    select {{ payee_key(['event_id', 'event_line_no']) | join(', ') }}
    from event
    where event_kind in ('sale', 'return')
    group by {{ payee_key(['event_id', 'event_line_no']) | join(', ') }}
),

-- What a payee is credited with and no component of the plan takes is not lost: it stands here with that reason.
untaken as (
    select
        {{ columns_of('plan_window', payee_key()) }},
        credit.transaction_id,
        credit.line_no,
        credit.credit_role,
        credit.credit_pct,
        credit.sale_date,
        credit.fiscal_month_start,
        case when credit.transaction_type = 'invoice' then 'sale' else 'return' end as event_kind,
        case plan.period_type
            when 'month' then fiscal_month.month_id
            when 'quarter' then fiscal_month.quarter_id
            else fiscal_month.year_id
        end as period_id,
        case
            when credit.original_transaction_id is null then 'no component of the plan takes it'
            else 'its sale was taken by no component of the plan'
        end as reason
    from credit
    inner join plan_window
        on
            plan_window.payee_type = 'member'
            and credit.member_id = plan_window.payee_id
            and credit.credit_date >= plan_window.valid_from
            and credit.credit_date < plan_window.valid_to
    inner join plan on {{ same_key('plan_window', 'plan', plan_key()) }}
    inner join fiscal_month on credit.fiscal_month_start = fiscal_month.month_start
    left join taken
        on
            {{ same_key('plan_window', 'taken', payee_key()) }}
            and credit.transaction_id = taken.event_id
            and credit.line_no = taken.event_line_no
    where taken.event_id is null
),

reckoned as (
    select
        {{ payee_key(['component_id', 'rule_no']) | join(', ') }},
        event_kind,
        event_id,
        event_line_no,
        transaction_id,
        line_no,
        credit_role,
        credit_pct,
        event_date,
        fiscal_month_start,
        period_id,
        counted,
        currency_code,
        measure_amount,
        units,
        uncounted_reason as reason
    from event

    union all

    select
        {{ payee_key() | join(', ') }},
        'none' as component_id,
        0 as rule_no,
        event_kind,
        transaction_id as event_id,
        line_no as event_line_no,
        transaction_id,
        line_no,
        credit_role,
        credit_pct,
        sale_date as event_date,
        fiscal_month_start,
        period_id,
        'no' as counted,
        cast(null as string) as currency_code,
        cast(null as decimal(28, 8)) as measure_amount,
        cast(null as decimal(28, 8)) as units,
        reason
    from untaken
),

{{ paid_else(source('closed', 'credit')) }}

select * from final
