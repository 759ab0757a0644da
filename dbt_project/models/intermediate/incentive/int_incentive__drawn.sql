-- Grain: one row per scenario, payee, plan version, currency, period and draw; draw 0 is the limit of the statement.
{%- set key = payee_key(['currency_code', 'period_id']) %}
{%- set places = range(1, 6) %}
with

line as (
    select * from {{ ref('int_incentive__line') }}
),

settled as (
    select * from {{ ref('int_incentive__settled') }}
),

late as (
    select * from {{ ref('int_incentive__late') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

draw as (
    select * from {{ source('config', 'plan_draw') }}
),

balance_before as (
    select * from {{ source('config', 'balance_before') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
),

counted as (
    select
        {{ key | join(', ') }},
        amount
    from line
    union all
    select
        {{ key | join(', ') }},
        amount
    from settled
    union all
    select
        {{ key | join(', ') }},
        amount
    from late
),

summed as (
    select
        {{ key | join(', ') }},
        coalesce(sum(amount), 0) as amount
    from counted
    group by {{ key | join(', ') }}
),

limited as (
    select
        {{ columns_of('payee_period', key) }},
        payee_period.period_start,
        payee_period.period_no,
        payee_period.plan_days,
        payee_period.period_days,
        payee_period.plan_working_days,
        payee_period.period_working_days,
        payee_period.plan_months,
        payee_period.period_months,
        payee_period.version_count,
        payee_period.target_pay_amount,
        coalesce(summed.amount, 0) as amount,
        cast(least(
            greatest(coalesce(summed.amount, 0), plan.floor_amount),
            {{ round_pay(
                'least(plan.cap_amount, cast(' ~ multiply('payee_period.target_pay_amount', 'plan.cap_pct') ~ ' as decimal(28, 8)))',
                'payee_period.currency_code'
            ) }}
        ) as decimal(18, 2)) as limited_amount
    from payee_period
    inner join plan on {{ same_key('payee_period', 'plan', plan_key()) }}
    left join summed on {{ same_key('payee_period', 'summed', key) }}
),

-- What is to be paid back when a period begins, where that is known from elsewhere: balances are reckoned on from there.
brought as (
    select
        balance_before.scenario_id,
        balance_before.payee_type,
        balance_before.payee_id,
        balance_before.plan_id,
        balance_before.currency_code,
        balance_before.period_id,
        min(period.period_start) as known_from,
        sum(balance_before.amount) as amount
    from balance_before
    inner join period on balance_before.period_id = period.period_id
    where balance_before.balance = 'draw'
    group by
        balance_before.scenario_id,
        balance_before.payee_type,
        balance_before.payee_id,
        balance_before.plan_id,
        balance_before.currency_code,
        balance_before.period_id
),

-- In the order in which they are paid back.
placed as (
    select
        *,
        row_number() over (
            partition by {{ plan_key() | join(', ') }}
            order by repay_order nulls last, draw_no nulls last
        ) as place
    from draw
),

offered as (
    select
        {{ columns_of('limited', key) }},
        limited.period_start,
        limited.period_no,
        limited.limited_amount,
        placed.place,
        placed.draw_no,
        placed.kind,
        placed.is_recoverable,
        placed.recover_from,
        placed.recover_pct,
        placed.never_below,
        case when placed.place = 1 and limited.period_id = brought.period_id then brought.amount else 0 end as brought_amount,
        case when placed.place = 1 and limited.period_start >= brought.known_from then 1 else 0 end as era,
        case
            when limited.period_no > coalesce(placed.period_count, limited.period_no) then 0
            when placed.pct_of_target_pay is not null
                then {{ round_pay(multiply('limited.target_pay_amount', 'placed.pct_of_target_pay'), 'limited.currency_code') }}
            else {{ round_pay(
                exact_divide(
                    "placed.amount * case placed.per when 'month' then limited.period_months else 1 end * case placed.prorate"
                    ~ " when 'calendar_days' then limited.plan_days when 'working_days' then limited.plan_working_days"
                    ~ " when 'months' then limited.plan_months else 1 end",
                    "case placed.prorate when 'calendar_days' then limited.period_days"
                    ~ " when 'working_days' then nullif(limited.period_working_days, 0)"
                    ~ " when 'months' then limited.period_months when 'equal' then limited.version_count else 1 end",
                    4
                ), 'limited.currency_code'
            ) }}
        end as draw_amount
    from limited
    inner join placed on {{ same_key('limited', 'placed', plan_key()) }}
    left join brought
        on {{ same_key('limited', 'brought', ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'currency_code']) }}
),

{% for place in places %}
    -- What this draw pays, and what earnings leave for paying it back once earlier ones are.
    given_{{ place }} as (
        select
            offered.*,
            {% if place == 1 %}
                offered.limited_amount as pay_before,
                greatest(offered.limited_amount, 0) as room_before,
            {% else %}
                coalesce(earlier.pay_after, offered.limited_amount) as pay_before,
                coalesce(earlier.room_after, greatest(offered.limited_amount, 0)) as room_before,
            {% endif %}
            case
                when offered.kind = 'guarantee'
                    then greatest(
                        offered.draw_amount - {{ 'offered.limited_amount' if place == 1 else 'coalesce(earlier.pay_after, offered.limited_amount)' }},
                        0
                    )
                else offered.draw_amount
            end as paid_amount
        from offered
        {% if place > 1 %}
            left join paid_back_{{ place - 1 }} as earlier on {{ same_key('offered', 'earlier', key) }}
        {% endif %}
        where offered.place = {{ place }}
    ),

    roomed_{{ place }} as (
        select
            *,
            case
                when not is_recoverable or period_no < recover_from then 0
                else greatest(
                    least(
                        {{ round_pay('room_before * recover_pct * 0.01', 'currency_code') }},
                        room_before - greatest(never_below, case when kind = 'guarantee' then draw_amount else 0 end)
                    ), 0
                )
            end as room
        from given_{{ place }}
    ),

    -- The balance is never below 0: a running sum less the least that it has been.
    running_{{ place }} as (
        select
            *,
            sum(case when is_recoverable then brought_amount + paid_amount - room else 0 end) over (
                partition by scenario_id, payee_type, payee_id, plan_id, currency_code, era
                order by period_start nulls last, plan_version nulls last
                rows between unbounded preceding and current row
            ) as running_amount
        from roomed_{{ place }}
    ),

    balanced_{{ place }} as (
        select
            *,
            running_amount - least(
                min(running_amount) over (
                    partition by scenario_id, payee_type, payee_id, plan_id, currency_code, era
                    order by period_start nulls last, plan_version nulls last
                    rows between unbounded preceding and current row
                ), 0
            ) as closing_amount
        from running_{{ place }}
    ),

    opened_{{ place }} as (
        select
            *,
            coalesce(
                lag(closing_amount) over (
                    partition by scenario_id, payee_type, payee_id, plan_id, currency_code, era
                    order by period_start nulls last, plan_version nulls last
                ), brought_amount
            ) as opening_amount
        from balanced_{{ place }}
    ),

    paid_back_{{ place }} as (
        select
            {{ key | join(', ') }},
            draw_no,
            kind,
            is_recoverable,
            draw_amount,
            paid_amount,
            opening_amount,
            closing_amount,
            case when is_recoverable then opening_amount + paid_amount - closing_amount else 0 end as recovered_amount,
            pay_before + paid_amount
            - case when is_recoverable then opening_amount + paid_amount - closing_amount else 0 end as pay_after,
            room_before
            - case when is_recoverable then opening_amount + paid_amount - closing_amount else 0 end as room_after
        from opened_{{ place }}
    ),
{% endfor %}

listed as (
    select
        {{ key | join(', ') }},
        0 as draw_no,
        'limit' as kind,
        false as is_recoverable,
        amount as draw_amount,
        limited_amount - amount as paid_amount,
        0 as opening_amount,
        0 as closing_amount,
        0 as recovered_amount
    from limited
    where limited_amount <> amount
    {% for place in places %}
        union all

        select
            {{ key | join(', ') }},
            draw_no,
            kind,
            is_recoverable,
            draw_amount,
            paid_amount,
            opening_amount,
            closing_amount,
            recovered_amount
        from paid_back_{{ place }}
    {% endfor %}
),

final as (
    select
        {{ key | join(', ') }},
        cast(draw_no as integer) as draw_no,
        kind,
        is_recoverable,
        cast(draw_amount as decimal(18, 2)) as draw_amount,
        cast(paid_amount as decimal(18, 2)) as paid_amount,
        cast(recovered_amount as decimal(18, 2)) as recovered_amount,
        cast(opening_amount as decimal(18, 2)) as opening_amount,
        cast(closing_amount as decimal(18, 2)) as closing_amount
    from listed
)

select * from final
