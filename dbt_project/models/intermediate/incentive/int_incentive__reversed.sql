-- Grain: one row per scenario, payee, plan version, component, rule and event that takes back what a sale was paid.
{{ by_fiscal_month('int_incentive__pay_state') }}
{%- set sale_key = payee_key(['component_id', 'rule_no', 'transaction_id', 'line_no', 'credit_role']) %}
with

event as {{ read_anew() }} (
    select * from {{ ref('int_incentive__event') }}
),

earned as (
    select * from {{ ref('int_incentive__earned') }}
),

gated as (
    select * from {{ ref('int_incentive__gated') }}
    where earned_period_id = period_id
),

limited as (
    select * from {{ ref('int_incentive__limited') }}
    where earned_period_id = period_id
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

back as (
    select * from event
    where
        counted = 'reversal'
        and {{ of_this_build('int_incentive__pay_state') }}
),

sale as {{ read_anew() }} (
    select * from event
    where
        event_kind = 'sale'
        and counted = 'running'
),

-- Who leaves gives back what was earned within so many days before, if the plan says so.
leaving_sale as (
    select
        {{ columns_of('sale', sale_key) }},
        sale.currency_code,
        sale.measure_amount,
        member_left.left_from as event_date,
        calendar.fiscal_month_start,
        case plan.period_type
            when 'month' then fiscal_month.month_id
            when 'quarter' then fiscal_month.quarter_id
            else fiscal_month.year_id
        end as period_id,
        component.clawback_pct,
        component.clawback_linear_months,
        {{ dbt.datediff('sale.event_date', 'member_left.left_from', 'month') }} as months_after
    from sale
    inner join component
        on
            {{ same_key('sale', 'component', plan_key(['component_id'])) }}
            and component.clawback_on = 'leaver'
    inner join plan on {{ same_key('sale', 'plan', plan_key()) }}
    inner join member_left
        on
            sale.payee_type = 'member'
            and sale.payee_id = member_left.member_id
            and sale.event_date < member_left.left_from
            and {{ dbt.datediff('sale.event_date', 'member_left.left_from', 'day') }} <= coalesce(component.clawback_days, 36500)
    inner join calendar on member_left.left_from = calendar.date_day
    inner join fiscal_month on calendar.fiscal_month_start = fiscal_month.month_start
    where {{ of_this_build('int_incentive__pay_state', 'fiscal_month.month_start') }}
),

left_sale as (
    select
        *,
        cast(case
            when clawback_linear_months is not null
                then {{ exact_divide('greatest(clawback_linear_months - months_after, 0) * 100', 'clawback_linear_months', 4) }}
            else coalesce(clawback_pct, 100)
        end as decimal(9, 4)) as taken_pct
    from leaving_sale
),

taken as (
    select
        {{ columns_of('back', sale_key) }},
        back.currency_code,
        back.event_kind,
        back.event_id,
        back.event_line_no,
        back.event_date,
        back.fiscal_month_start,
        back.period_id,
        back.measure_amount,
        back.back_share,
        sale.period_id as sale_period_id,
        back.taken_pct
    from back
    inner join sale on {{ same_key('back', 'sale', sale_key) }}

    union all

    select
        {{ columns_of('left_sale', sale_key) }},
        left_sale.currency_code,
        'leaver' as event_kind,
        left_sale.transaction_id as event_id,
        left_sale.line_no as event_line_no,
        left_sale.event_date,
        left_sale.fiscal_month_start,
        left_sale.period_id,
        -left_sale.measure_amount as measure_amount,
        cast(-1 as decimal(28, 10)) as back_share,
        sale.period_id as sale_period_id,
        left_sale.taken_pct
    from left_sale
    inner join sale on {{ same_key('left_sale', 'sale', sale_key) }}
),

taken_sale as (
    select {{ sale_key | join(', ') }}
    from taken
    group by {{ sale_key | join(', ') }}
),

earned_back as (
    select earned.*
    from earned
    inner join taken_sale on {{ same_key('earned', 'taken_sale', sale_key) }}
    where earned.event_kind in ('sale', 'return')
),

-- What came back inside the scope of the sale has lowered what it was paid, and what is left of it to come back.
sale_earned as (
    select
        {{ sale_key | join(', ') }},
        currency_code,
        case when count(*) = count(amount) then sum(amount) end as amount
    from earned_back
    group by {{ sale_key | join(', ') }}, currency_code
),

sale_left as (
    select
        {{ sale_key | join(', ') }},
        cast(greatest(1 + sum(back_share), 0) as decimal(18, 10)) as share
    from event
    where
        event_kind = 'return'
        and counted = 'running'
    group by {{ sale_key | join(', ') }}
),

-- What the sale was paid is what it earned after gates and limits, which all sales of its rule, and then of its component, bore
-- in one proportion. The part that is due with the customer's money goes back with that.
settled as (
    select
        {{ columns_of('taken', sale_key) }},
        taken.currency_code,
        taken.event_kind,
        taken.event_id,
        taken.event_line_no,
        taken.event_date,
        taken.fiscal_month_start,
        taken.period_id,
        taken.sale_period_id,
        taken.measure_amount,
        taken.taken_pct,
        coalesce(sale_earned.amount, 0) as earned_amount,
        sale_earned.transaction_id is not null and sale_earned.amount is null as is_held,
        cast(
            {{ exact_product('taken.back_share', 'cast(taken.taken_pct * component.invoiced_pct * 0.01 as decimal(28, 8))') }} as decimal(28, 8)
        ) as part_pct,
        gated.amount as rule_amount,
        gated.earned_amount as rule_earned_amount,
        limited.amount as limited_amount,
        limited.ruled_amount,
        coalesce(sale_left.share, 1) as left_share
    from taken
    inner join component on {{ same_key('taken', 'component', plan_key(['component_id'])) }}
    left join sale_earned
        on
            {{ same_key('taken', 'sale_earned', sale_key) }}
            and taken.currency_code = sale_earned.currency_code
    left join sale_left on {{ same_key('taken', 'sale_left', sale_key) }}
    left join gated
        on
            {{ same_key('taken', 'gated', payee_key(['component_id', 'currency_code', 'rule_no'])) }}
            and taken.sale_period_id = gated.period_id
    left join limited
        on
            {{ same_key('taken', 'limited', payee_key(['component_id', 'currency_code'])) }}
            and taken.sale_period_id = limited.period_id
),

-- Where sales and returns come to nothing together there is no proportion: each was paid what it earned.
ruled as (
    select
        *,
        cast(case
            when rule_earned_amount = 0 then earned_amount
            else {{ exact_divide(exact_product('earned_amount', 'rule_amount'), 'nullif(rule_earned_amount, 0)', 10) }}
        end as decimal(28, 10)) as rule_paid_amount
    from settled
),

multiplied as (
    select
        *,
        cast({{ exact_product('rule_paid_amount', 'case when ruled_amount = 0 then 1 else limited_amount end') }} as decimal(28, 10))
            as paid_product,
        -- A leaver gives back all that is left of the sale.
        cast({{ exact_product(
            'case when ruled_amount = 0 then 1 else ruled_amount end',
            "case when event_kind = 'leaver' then 1 else left_share end * 100"
        ) }} as decimal(28, 8)) as component_pct
    from ruled
),

final as (
    select
        {{ sale_key | join(', ') }},
        currency_code,
        event_kind,
        event_id,
        event_line_no,
        event_date,
        fiscal_month_start,
        period_id,
        sale_period_id,
        measure_amount,
        taken_pct,
        cast(earned_amount as decimal(28, 10)) as earned_amount,
        case
            when not is_held
                then cast(coalesce(
                    {{ exact_divide(exact_product('paid_product', 'part_pct'), 'nullif(component_pct, 0)', 10) }}, 0
                ) as decimal(28, 10))
        end as reversed_amount
    from multiplied
)

select * from final
