-- Grain: one row per scenario, payee, plan version, component, currency and period: what a component comes to.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id']) %}
{%- set succession = "scenario_id, payee_type, payee_id, plan_id, component_id, currency_code, era" %}
with

limited as (
    select * from {{ ref('int_incentive__limited') }}
),

reversed as (
    select * from {{ ref('int_incentive__reversed') }}
),

balance_before as (
    select * from {{ source('config', 'balance_before') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

taken_back as (
    select
        {{ key | join(', ') }},
        cast(coalesce(sum(reversed_amount), 0) as decimal(28, 10)) as reversed_amount,
        count(*) - count(reversed_amount) as held_count
    from reversed
    group by {{ key | join(', ') }}
),

listed as (
    select
        {{ key | join(', ') }},
        amount as limited_amount,
        cast(0 as decimal(28, 10)) as reversed_amount,
        0 as held_count
    from limited

    union all

    select
        {{ key | join(', ') }},
        cast(0 as decimal(18, 2)) as limited_amount,
        reversed_amount,
        held_count
    from taken_back
),

summed as (
    select
        {{ key | join(', ') }},
        cast(sum(limited_amount) as decimal(18, 2)) as limited_amount,
        cast(sum(reversed_amount) as decimal(28, 10)) as reversed_exact,
        sum(held_count) as held_count
    from listed
    group by {{ key | join(', ') }}
),

-- Differences of one rounded running total, so that what comes back in parts adds up to what was paid.
taken_so_far as (
    select
        {{ columns_of('summed', key) }},
        period.period_start,
        summed.limited_amount,
        summed.held_count,
        summed.reversed_exact,
        cast(coalesce(sum(summed.reversed_exact) over (
            partition by {{ columns_of('summed', payee_key(['component_id', 'currency_code'])) }}
            order by period.period_start nulls last
            rows between unbounded preceding and 1 preceding
        ), 0) as decimal(28, 10)) as reversed_before_amount
    from summed
    inner join period on summed.period_id = period.period_id
),

cut as (
    select
        *,
        cast(
            {{ round_pay('reversed_before_amount + reversed_exact', 'currency_code') }}
            - {{ round_pay('reversed_before_amount', 'currency_code') }} as decimal(18, 2)
        ) as reversed_amount
    from taken_so_far
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
    where balance_before.balance = 'carry'
    group by
        balance_before.scenario_id,
        balance_before.payee_type,
        balance_before.payee_id,
        balance_before.plan_id,
        balance_before.component_id,
        balance_before.currency_code,
        balance_before.period_id
),

before_carry as (
    select
        {{ columns_of('cut', key) }},
        cut.period_start,
        cut.limited_amount,
        cut.reversed_amount,
        cut.reversed_before_amount,
        cut.held_count,
        cut.limited_amount + cut.reversed_amount as net_amount,
        case
            when component.negative = 'carry' and cut.period_id = brought.period_id then brought.amount else 0
        end as brought_amount,
        case when cut.period_start >= brought.known_from then 1 else 0 end as era,
        component.negative
    from cut
    inner join component on {{ same_key('cut', 'component', plan_key(['component_id'])) }}
    left join brought
        on
            {{ same_key(
                'cut', 'brought',
                ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'currency_code']
            ) }}
),

-- What is below zero waits for later periods: a running sum less the most that it has been, never above 0.
running as (
    select
        *,
        sum(net_amount + brought_amount) over (
            partition by {{ succession }}
            order by period_start nulls last, plan_version nulls last
            rows between unbounded preceding and current row
        ) as running_amount
    from before_carry
),

below as (
    select
        *,
        case
            when negative = 'carry'
                then running_amount - greatest(
                    max(running_amount) over (
                        partition by {{ succession }}
                        order by period_start nulls last, plan_version nulls last
                        rows between unbounded preceding and current row
                    ), 0
                )
            else 0
        end as negative_closing
    from running
),

opened as (
    select
        *,
        coalesce(
            lag(negative_closing) over (
                partition by {{ succession }}
                order by period_start nulls last, plan_version nulls last
            ), brought_amount
        ) as negative_opening
    from below
),

final as (
    select
        {{ key | join(', ') }},
        period_start,
        limited_amount,
        reversed_amount,
        reversed_before_amount,
        cast(held_count as bigint) as held_count,
        negative,
        cast(negative_opening as decimal(18, 2)) as negative_opening_amount,
        cast(negative_closing as decimal(18, 2)) as negative_closing_amount,
        cast(case negative
            when 'carry' then net_amount + negative_opening - negative_closing
            when 'zero' then greatest(net_amount, 0)
            else net_amount
        end as decimal(18, 2)) as amount
    from opened
)

select * from final
