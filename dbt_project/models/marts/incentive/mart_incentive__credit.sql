-- Grain: one row per scenario, payee, plan version and event credited to the payee, by component and rule; or by none.
{{ by_fiscal_month('dirty_pay_month') }}
with

event as (
    select * from {{ ref('int_incentive__event') }}
    where
        event_kind <> 'last_year'
        {% if is_incremental() %}
            and fiscal_month_start in (select month_start from {{ source('meta', 'dirty_pay_month') }})
        {% endif %}
),

matched as (
    select * from {{ ref('int_incentive__matched') }}
    where
        not is_last_year
        {% if is_incremental() %}
            and fiscal_month_start in (select month_start from {{ source('meta', 'dirty_pay_month') }})
        {% endif %}
),

credit as (
    select * from {{ ref('int_credit__sale_line') }}
    where
        original_transaction_id is null
        {% if is_incremental() %}
            and fiscal_month_start in (select month_start from {{ source('meta', 'dirty_pay_month') }})
        {% endif %}
),

plan_window as (
    select * from {{ ref('int_incentive__window') }}
),

taken as (
    select
        {{ payee_key(['transaction_id', 'line_no', 'credit_role']) | join(', ') }}
    from matched
    group by {{ payee_key(['transaction_id', 'line_no', 'credit_role']) | join(', ') }}
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
        credit.fiscal_month_start
    from credit
    inner join plan_window
        on
            plan_window.payee_type = 'member'
            and credit.member_id = plan_window.payee_id
            and credit.credit_date >= plan_window.valid_from
            and credit.credit_date < plan_window.valid_to
    left join taken
        on
            {{ same_key('plan_window', 'taken', payee_key()) }}
            and credit.transaction_id = taken.transaction_id
            and credit.line_no = taken.line_no
            and credit.credit_role = taken.credit_role
    where taken.transaction_id is null
),

final as (
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
        'sale' as event_kind,
        transaction_id as event_id,
        line_no as event_line_no,
        transaction_id,
        line_no,
        credit_role,
        credit_pct,
        sale_date as event_date,
        fiscal_month_start,
        cast(null as string) as period_id,
        'no' as counted,
        cast(null as string) as currency_code,
        cast(null as decimal(28, 8)) as measure_amount,
        cast(null as decimal(28, 8)) as units,
        'no component of the plan takes it' as reason
    from untaken
)

select * from final
