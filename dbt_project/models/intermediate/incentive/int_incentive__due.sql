-- Grain: one row per scenario, payee, plan version, component, currency, period earned and part that is due at a time.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id']) %}
{%- set share_key = payee_key(['component_id', 'currency_code', 'transaction_id', 'line_no', 'credit_role', 'rule_no']) %}
with

carried as (
    select * from {{ ref('int_incentive__carried') }}
),

balance_before as (
    select * from {{ source('config', 'balance_before') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
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

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

fiscal_year as (
    select
        fiscal_year,
        year_end
    from fiscal_month
    group by fiscal_year, year_end
),

money_component as (
    select * from component
    where
        release_at = 'collected'
        or (collected_pct > 0 and collected_pct < 100)
),

-- Sales are looked at one by one only where something waits for their money.
event as (
    select event.*
    from {{ ref('int_incentive__event') }} as event
    inner join money_component on {{ same_key('event', 'money_component', plan_key(['component_id'])) }}
    where
        event.event_kind = 'sale'
        and event.counted = 'running'
),

earned as (
    select earned.*
    from {{ ref('int_incentive__earned') }} as earned
    inner join money_component on {{ same_key('earned', 'money_component', plan_key(['component_id'])) }}
    where earned.event_kind in ('sale', 'return')
),

back as (
    select back.*
    from {{ ref('int_incentive__event') }} as back
    inner join money_component on {{ same_key('back', 'money_component', plan_key(['component_id'])) }}
    where
        back.event_kind = 'return'
        and back.back_share is not null
),

allocation as (
    select * from {{ ref('fct_payment_allocation') }}
),

number as (
    {% for number in range(1, 121) %}
        select {{ number }} as number
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

-- What is below zero is due at once.
split as (
    select
        {{ columns_of('carried', key) }},
        carried.amount,
        period.period_type,
        period.period_start,
        period.period_end,
        fiscal_year.year_end,
        component.instalment_count,
        component.instalment_every,
        component.release_days,
        component.release_at,
        component.clawback_days,
        case
            when carried.amount > 0
                then {{ round_pay('carried.amount * component.hold_pct * 0.01', 'carried.currency_code') }}
            else 0
        end as held_amount,
        cast(carried.limited_amount * (100 - component.collected_pct) * 0.01 as decimal(28, 8)) as invoiced_exact,
        cast(carried.limited_amount * component.collected_pct * 0.01 as decimal(28, 8)) as uncollected_exact,
        -- Of what was earned; what came back of earlier sales is the part of them that was due with the invoice.
        case
            when carried.limited_amount > 0 and component.collected_pct < 100 and component.measure <> 'collected_amount'
                then
                    carried.limited_amount
                    - {{ round_pay('carried.limited_amount * (100 - component.collected_pct) * 0.01', 'carried.currency_code') }}
            else 0
        end as uncollected_amount
    from carried
    inner join component on {{ same_key('carried', 'component', plan_key(['component_id'])) }}
    inner join period on carried.period_id = period.period_id
    inner join fiscal_year on period.fiscal_year = fiscal_year.fiscal_year
),

cut as (
    select
        *,
        amount - held_amount - uncollected_amount as rest_amount
    from split
),

-- Instalments are differences of rounded running parts, so that they meet the whole.
instalment as (
    select
        {{ columns_of('cut', key) }},
        'instalment' as part_kind,
        number.number as part_no,
        case
            when cut.instalment_every = 'quarter'
                then cast({{ dbt.dateadd('month', '3 * (number.number - 1)', 'cut.period_end') }} as date)
            else cast({{ dbt.dateadd('month', 'number.number - 1', 'cut.period_end') }} as date)
        end as due_date,
        {{ round_pay(exact_divide('cut.rest_amount * number.number', 'cut.instalment_count', 4), 'cut.currency_code') }}
        - {{ round_pay(exact_divide('cut.rest_amount * (number.number - 1)', 'cut.instalment_count', 4), 'cut.currency_code') }}
            as amount
    from cut
    inner join number on cut.instalment_count >= number.number
    where cut.amount > 0

    union all

    select
        {{ key | join(', ') }},
        'instalment' as part_kind,
        1 as part_no,
        period_end as due_date,
        rest_amount as amount
    from cut
    where amount <= 0
),

released as (
    select
        {{ key | join(', ') }},
        'hold' as part_kind,
        1 as part_no,
        case
            when release_at = 'year_end' then year_end
            when release_at = 'clawback_end' then cast({{ dbt.dateadd('day', 'coalesce(clawback_days, 0)', 'period_end') }} as date)
            else cast({{ dbt.dateadd('day', 'coalesce(release_days, 0)', 'period_end') }} as date)
        end as due_date,
        held_amount as amount
    from cut
    where
        held_amount <> 0
        and release_at is distinct from 'collected'
),

-- What waits for the customer's money is due as that comes in, sale by sale.
awaited as (
    select
        {{ key | join(', ') }},
        period_type,
        case when release_at = 'collected' then 'hold' else 'uncollected' end as part_kind,
        case when release_at = 'collected' then held_amount else uncollected_amount end as amount,
        -- The parts due with the invoice and with the money are rounded as one running total.
        case when release_at = 'collected' then 0 else invoiced_exact end as before_amount,
        case when release_at = 'collected' then held_amount else uncollected_exact end as exact_amount
    from cut
    where
        uncollected_amount <> 0
        or (held_amount <> 0 and release_at = 'collected')
),

-- Of a sale some of which came back in its period, nobody pays for that: all of the money is what is left.
sale_earned as (
    select
        {{ share_key | join(', ') }},
        period_id,
        sum(case when event_kind = 'sale' then amount end) as amount,
        sum(amount) as left_amount
    from earned
    group by {{ share_key | join(', ') }}, period_id
),

-- The money that comes in. What comes back after the period waits for none: it gives back all that its part had earned, so what
-- was held of that part is due with it.
came as (
    select
        {{ columns_of('event', share_key) }},
        event.period_id,
        event.line_net_amount,
        'payment' as kind,
        allocation.allocation_date as came_on,
        allocation.amount
    from event
    inner join allocation
        on
            event.transaction_id = allocation.transaction_id
            and event.line_no = allocation.line_no
            and event.document_currency_code = allocation.currency_code

    union all

    select
        {{ columns_of('event', share_key) }},
        event.period_id,
        event.line_net_amount,
        'return' as kind,
        back.event_date as came_on,
        -back.line_net_amount as amount
    from event
    inner join back
        on
            {{ same_key('event', 'back', share_key) }}
            and event.period_id <> back.period_id
),

came_by_sale as (
    select
        {{ columns_of('awaited', key) }},
        awaited.part_kind,
        awaited.before_amount,
        awaited.exact_amount,
        came.transaction_id,
        came.line_no,
        came.credit_role,
        came.rule_no,
        came_in_period.period_end as due_date,
        max(sale_earned.left_amount) as left_amount,
        sum({{ part_of('sale_earned.amount', 'came.amount', 'came.line_net_amount') }}) as earned_amount
    from awaited
    inner join came
        on
            {{ same_key('awaited', 'came', key) }}
            and (came.kind = 'payment' or awaited.part_kind = 'hold')
    inner join sale_earned
        on {{ same_key('came', 'sale_earned', share_key + ['period_id']) }}
    inner join period as came_in_period
        on
            awaited.period_type = came_in_period.period_type
            and came.came_on >= came_in_period.period_start
            and came.came_on < came_in_period.period_end
    group by
        {{ columns_of('awaited', key) }},
        awaited.part_kind,
        awaited.before_amount,
        awaited.exact_amount,
        came.transaction_id,
        came.line_no,
        came.credit_role,
        came.rule_no,
        came_in_period.period_end
),

came_so_far as (
    select
        *,
        sum(earned_amount) over (
            partition by {{ key | join(', ') }}, part_kind, transaction_id, line_no, credit_role, rule_no
            order by due_date nulls last
            rows between unbounded preceding and current row
        ) as running_amount
    from came_by_sale
),

-- No sale brings more than what is left of it.
collected as (
    select
        {{ key | join(', ') }},
        part_kind,
        before_amount,
        exact_amount,
        due_date,
        sum(
            case when left_amount > 0 then least(running_amount, left_amount) else running_amount end
            - case
                when left_amount > 0 then least(running_amount - earned_amount, left_amount)
                else running_amount - earned_amount
            end
        ) as collected_earned
    from came_so_far
    group by
        {{ key | join(', ') }},
        part_kind,
        before_amount,
        exact_amount,
        due_date
),

whole as (
    select
        {{ columns_of('event', key) }},
        sum(sale_earned.left_amount) as earned_amount
    from event
    inner join sale_earned
        on {{ same_key('event', 'sale_earned', share_key + ['period_id']) }}
    group by {{ columns_of('event', key) }}
),

running as (
    select
        {{ columns_of('collected', key) }},
        collected.part_kind,
        collected.due_date,
        collected.before_amount,
        collected.exact_amount,
        whole.earned_amount,
        collected.collected_earned,
        sum(collected.collected_earned) over (
            partition by {{ columns_of('collected', key) }}, collected.part_kind
            order by collected.due_date nulls last
            rows between unbounded preceding and current row
        ) as running_earned,
        row_number() over (
            partition by {{ columns_of('collected', key) }}, collected.part_kind
            order by collected.due_date nulls last
        ) as part_no
    from collected
    inner join whole on {{ same_key('collected', 'whole', key) }}
    where whole.earned_amount <> 0
),

-- What is paid beyond the whole waits on account for other sales.
counted as (
    select
        {{ key | join(', ') }},
        part_kind,
        part_no,
        due_date,
        before_amount,
        exact_amount,
        earned_amount,
        case when earned_amount > 0 then least(running_earned, earned_amount) else running_earned end as running_earned,
        case
            when earned_amount > 0 then least(running_earned - collected_earned, earned_amount)
            else running_earned - collected_earned
        end as earned_before
    from running
),

came_in as (
    select
        {{ key | join(', ') }},
        part_kind,
        part_no,
        due_date,
        {{ round_pay('before_amount + ' ~ part_of('exact_amount', 'running_earned', 'earned_amount'), 'currency_code') }}
        - {{ round_pay(
            'before_amount + ' ~ part_of('exact_amount', 'earned_before', 'earned_amount'), 'currency_code'
        ) }} as amount
    from counted
),

-- Not due as long as nothing comes in.
outstanding as (
    select
        {{ columns_of('awaited', key) }},
        awaited.part_kind,
        0 as part_no,
        cast(null as date) as due_date,
        awaited.amount - coalesce(sum(came_in.amount), 0) as amount
    from awaited
    left join came_in
        on
            {{ same_key('awaited', 'came_in', key) }}
            and awaited.part_kind = came_in.part_kind
    group by {{ columns_of('awaited', key) }}, awaited.part_kind, awaited.amount
),

-- What was held back before, or waits for instalments, where only that is known and not the sales that earned it: due at the
-- year's end, or with the pay of the period.
brought as (
    select
        {{ columns_of('payee_period', payee_key()) }},
        balance_before.component_id,
        balance_before.currency_code,
        'before' as period_id,
        balance_before.balance as part_kind,
        1 as part_no,
        case
            when component.release_at = 'year_end' and balance_before.balance = 'hold' then fiscal_year.year_end
            else payee_period.period_end
        end as due_date,
        balance_before.amount
    from payee_period
    inner join balance_before
        on
            {{ same_key('payee_period', 'balance_before', ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'period_id']) }}
            and balance_before.balance in ('hold', 'instalment')
    inner join component
        on
            {{ same_key('payee_period', 'component', plan_key()) }}
            and balance_before.component_id = component.component_id
    inner join fiscal_year on payee_period.fiscal_year = fiscal_year.fiscal_year
    left join cut
        on
            {{ same_key(
                'balance_before', 'cut',
                ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'currency_code']
            ) }}
            and payee_period.period_start >= cut.period_end
            and cut.amount > 0
    where cut.payee_id is null
),

listed as (
    {% for relation in ['instalment', 'released', 'came_in', 'outstanding', 'brought'] %}
        select
            {{ key | join(', ') }},
            part_kind,
            part_no,
            due_date,
            amount
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    select
        {{ columns_of('listed', key) }},
        listed.part_kind,
        cast(listed.part_no as integer) as part_no,
        listed.due_date,
        due_period.period_id as due_period_id,
        cast(listed.amount as decimal(18, 2)) as amount
    from listed
    inner join plan on {{ same_key('listed', 'plan', plan_key()) }}
    left join period as due_period
        on
            plan.period_type = due_period.period_type
            and listed.due_date > due_period.period_start
            and listed.due_date <= due_period.period_end
            and due_period.period_start < {{ built_until() }}
    where
        listed.amount <> 0
        or listed.part_kind = 'instalment'
)

select * from final
