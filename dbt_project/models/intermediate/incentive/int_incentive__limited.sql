-- Grain: one row per scenario, payee, plan version, component, currency, period and period earned for.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id', 'earned_period_id']) %}
{%- set succession = "scenario_id, payee_type, payee_id, plan_id, component_id, currency_code, era" %}
with

gated as (
    select * from {{ ref('int_incentive__gated') }}
),

balance_before as (
    select * from {{ source('config', 'balance_before') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
),

summed as (
    select
        {{ key | join(', ') }},
        sum(amount) as ruled_amount,
        sum(before_amount) as before_amount
    from gated
    group by {{ key | join(', ') }}
),

-- A period that is over is judged as a whole, with what was earned for it before: it is paid the difference.
judged as (
    select
        {{ key | join(', ') }},
        1 as sign,
        cast(ruled_amount + before_amount as decimal(18, 2)) as ruled_amount
    from summed

    union all

    select
        {{ key | join(', ') }},
        -1 as sign,
        cast(before_amount as decimal(18, 2)) as ruled_amount
    from summed
    where earned_period_id <> period_id
),

-- A cap that carries on is one of the period in which it is paid: what an earlier one gives back uses up what waits.
placed as (
    select
        {{ columns_of('judged', payee_key(['component_id', 'currency_code', 'period_id'])) }},
        case when component.is_excess_carried then judged.period_id else judged.earned_period_id end as earned_period_id,
        case when component.is_excess_carried then 1 else judged.sign end as sign,
        case when component.is_excess_carried then judged.sign else 1 end as counts,
        judged.ruled_amount,
        greatest(judged.ruled_amount, component.floor_amount) as floored_amount
    from judged
    inner join component on {{ same_key('judged', 'component', plan_key(['component_id'])) }}
),

floored as (
    select
        {{ key | join(', ') }},
        sign,
        cast(sum(counts * ruled_amount) as decimal(18, 2)) as ruled_amount,
        cast(sum(counts * floored_amount) as decimal(18, 2)) as floored_amount
    from placed
    group by {{ key | join(', ') }}, sign
),

-- What is carried into a period, where that is known from elsewhere: balances are reckoned on from there.
brought as (
    select
        balance_before.scenario_id,
        balance_before.payee_type,
        balance_before.payee_id,
        balance_before.plan_id,
        balance_before.component_id,
        balance_before.currency_code,
        balance_before.period_id,
        min(period.period_start) as known_from,
        sum(balance_before.amount) as amount
    from balance_before
    inner join period on balance_before.period_id = period.period_id
    where balance_before.balance = 'excess'
    group by
        balance_before.scenario_id,
        balance_before.payee_type,
        balance_before.payee_id,
        balance_before.plan_id,
        balance_before.component_id,
        balance_before.currency_code,
        balance_before.period_id
),

bounded as (
    select
        {{ columns_of('floored', key) }},
        floored.sign,
        floored.ruled_amount,
        period.period_start,
        payee_period.plan_days,
        payee_period.period_days,
        case when payee_period.is_left_at_end and plan.must_be_employed = 'period_end' then plan.leaver_otherwise end as leaver_rule,
        component.is_excess_carried,
        case when floored.period_id = brought.period_id then brought.amount else 0 end as brought_amount,
        case when period.period_start >= brought.known_from then 1 else 0 end as era,
        component.floor_amount,
        {{ round_pay(
            'least(component.cap_amount, cast(' ~ multiply('payee_period.target_pay_amount', 'component.cap_pct')
            ~ ' as decimal(28, 8)))', 'floored.currency_code'
        ) }} as cap_amount,
        floored.floored_amount
    from floored
    inner join component on {{ same_key('floored', 'component', plan_key(['component_id'])) }}
    inner join plan on {{ same_key('floored', 'plan', plan_key()) }}
    inner join period on floored.period_id = period.period_id
    inner join payee_period
        on
            {{ same_key('floored', 'payee_period', payee_key()) }}
            and floored.earned_period_id = payee_period.period_id
    left join brought
        on
            {{ same_key(
                'floored', 'brought',
                ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'currency_code']
            ) }}
),

-- What a cap cuts off may wait for a period with room. The balance is what is left over after each period, never below 0:
-- a running sum less the least that it has been.
over_cap as (
    select
        *,
        case when is_excess_carried and cap_amount is not null then brought_amount + floored_amount - cap_amount else 0 end as excess
    from bounded
),

running as (
    select
        *,
        sum(excess) over (
            partition by {{ succession }}
            order by period_start nulls last, plan_version nulls last
            rows between unbounded preceding and current row
        ) as running_excess
    from over_cap
),

carried as (
    select
        *,
        running_excess - least(
            min(running_excess) over (
                partition by {{ succession }}
                order by period_start nulls last, plan_version nulls last
                rows between unbounded preceding and current row
            ), 0
        ) as excess_closing
    from running
),

opened as (
    select
        *,
        coalesce(
            lag(excess_closing) over (
                partition by {{ succession }}
                order by period_start nulls last, plan_version nulls last
            ), brought_amount
        ) as excess_opening
    from carried
),

allowed as (
    select
        *,
        case
            when is_excess_carried and cap_amount is not null then floored_amount + excess_opening - excess_closing
            else least(floored_amount, cap_amount)
        end as allowed_amount
    from opened
),

paid as (
    select
        *,
        least(floored_amount, cap_amount) as capped_amount,
        case leaver_rule
            when 'forfeit' then least(allowed_amount, 0)
            when 'prorate' then {{ round_pay(exact_divide('allowed_amount * plan_days', 'period_days', 4), 'currency_code') }}
            else allowed_amount
        end as amount
    from allowed
),

final as (
    select
        {{ key | join(', ') }},
        max(period_start) as period_start,
        cast(max(floor_amount) as decimal(18, 2)) as floor_amount,
        cast(max(cap_amount) as decimal(18, 2)) as cap_amount,
        cast(max(excess_opening) as decimal(18, 2)) as excess_opening_amount,
        cast(max(excess_closing) as decimal(18, 2)) as excess_closing_amount,
        max(leaver_rule) as leaver_rule,
        cast(sum(sign * ruled_amount) as decimal(18, 2)) as ruled_amount,
        cast(sum(sign * capped_amount) as decimal(18, 2)) as capped_amount,
        cast(sum(sign * allowed_amount) as decimal(18, 2)) as allowed_amount,
        cast(sum(sign * amount) as decimal(18, 2)) as amount
    from paid
    group by {{ key | join(', ') }}
)

select * from final
