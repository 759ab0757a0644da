-- Grain: one row per scenario, payee, plan version, currency, period and draw.
{%- set key = payee_key(['currency_code', 'period_id']) %}
{%- set places = range(1, 6) %}
with

bounded as (
    select * from {{ ref('int_incentive__bounded') }}
),

late as (
    select * from {{ ref('int_incentive__late') }}
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

closed_balance as (
    select * from {{ source('closed', 'balance') }}
),

first_open as (
    select * from {{ ref('int_incentive__first_open') }}
),

settled_late as (
    select
        {{ key | join(', ') }},
        coalesce(sum(amount), 0) as amount
    from late
    group by {{ key | join(', ') }}
),

-- What is settled for earlier periods is paid with the earnings of this one, and pays back with them.
limited as (
    select
        bounded.*,
        cast(bounded.limited_amount + coalesce(settled_late.amount, 0) as decimal(18, 2)) as earning_amount,
        row_number() over (
            partition by
                bounded.scenario_id, bounded.payee_type, bounded.payee_id, bounded.plan_id, bounded.currency_code, bounded.period_id
            order by bounded.plan_version nulls last
        ) as version_place
    from bounded
    left join settled_late on {{ same_key('bounded', 'settled_late', key) }}
),

known_before as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        currency_code,
        period_id,
        0 as draw_no,
        amount
    from balance_before
    where balance = 'draw'

    union all

    select
        closed_balance.scenario_id,
        closed_balance.payee_type,
        closed_balance.payee_id,
        closed_balance.plan_id,
        closed_balance.currency_code,
        first_open.period_id,
        closed_balance.draw_no,
        closed_balance.closing_amount as amount
    from closed_balance
    inner join period on closed_balance.period_id = period.period_id
    inner join first_open
        on
            closed_balance.scenario_id = first_open.scenario_id
            and period.period_type = first_open.period_type
            and period.period_end = first_open.open_from
    where closed_balance.balance_kind = 'draw'
),

known_from as (
    select
        known_before.scenario_id,
        known_before.payee_type,
        known_before.payee_id,
        known_before.plan_id,
        known_before.currency_code,
        min(period.period_start) as known_from
    from known_before
    inner join period on known_before.period_id = period.period_id
    group by
        known_before.scenario_id,
        known_before.payee_type,
        known_before.payee_id,
        known_before.plan_id,
        known_before.currency_code
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

-- What a draw is owed that the plan has no more, or of which the number is not known, is paid back first.
brought as (
    select
        {{ columns_of('limited', key) }},
        coalesce(placed.place, 1) as place,
        sum(known_before.amount) as amount
    from limited
    inner join known_before
        on {{ same_key('limited', 'known_before', ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'currency_code', 'period_id']) }}
    left join placed
        on
            {{ same_key('limited', 'placed', plan_key()) }}
            and known_before.draw_no = placed.draw_no
    where limited.version_place = 1
    group by {{ columns_of('limited', key) }}, coalesce(placed.place, 1)
),

offered as (
    select
        {{ columns_of('limited', key) }},
        limited.period_start,
        limited.period_no,
        limited.earning_amount as limited_amount,
        placed.place,
        placed.draw_no,
        placed.kind,
        placed.is_recoverable,
        placed.recover_from,
        placed.recover_pct,
        placed.never_below,
        coalesce(brought.amount, 0) as brought_amount,
        case when limited.period_start >= known_from.known_from then 1 else 0 end as era,
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
    left join known_from
        on {{ same_key('limited', 'known_from', ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'currency_code']) }}
    left join brought
        on
            {{ same_key('limited', 'brought', key) }}
            and placed.place = brought.place
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
    {% for place in places %}
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
        {% if not loop.last %}
            union all
        {% endif %}
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
