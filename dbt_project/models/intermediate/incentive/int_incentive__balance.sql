-- Grain: one row per scenario, payee, plan version, component, currency, period and kind of balance; of draws by draw.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id']) %}
{%- set columns = key + ['balance_kind', 'draw_no', 'opening_amount', 'closing_amount'] %}
with

limited as (
    select * from {{ ref('int_incentive__limited') }}
    where earned_period_id = period_id
),

carried as (
    select * from {{ ref('int_incentive__carried') }}
),

drawn as (
    select * from {{ ref('int_incentive__drawn') }}
    where is_recoverable
),

due as (
    select * from {{ ref('int_incentive__due') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
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

excess as (
    select
        {{ key | join(', ') }},
        'excess' as balance_kind,
        0 as draw_no,
        excess_opening_amount as opening_amount,
        excess_closing_amount as closing_amount
    from limited
),

negative as (
    select
        {{ key | join(', ') }},
        'carry' as balance_kind,
        0 as draw_no,
        negative_opening_amount as opening_amount,
        negative_closing_amount as closing_amount
    from carried
),

draw as (
    select
        {{ payee_key() | join(', ') }},
        'statement' as component_id,
        currency_code,
        period_id,
        'draw' as balance_kind,
        draw_no,
        opening_amount,
        closing_amount
    from drawn
),

-- What is earned and not due yet: it waits from its own period on until the one with whose pay it is due.
waiting as (
    select
        {{ columns_of('due', payee_key(['component_id', 'currency_code'])) }},
        due.part_kind,
        due.amount,
        coalesce(earned_period.period_start, cast('1900-01-01' as date)) as earned_from,
        due_period.period_start as due_from
    from due
    left join period as earned_period on due.period_id = earned_period.period_id
    left join period as due_period on due.due_period_id = due_period.period_id
    where due.due_period_id is distinct from due.period_id
),

deferred as (
    select
        {{ columns_of('waiting', payee_key(['component_id', 'currency_code'])) }},
        payee_period.period_id,
        waiting.part_kind as balance_kind,
        0 as draw_no,
        sum(case when waiting.earned_from < payee_period.period_start then waiting.amount else 0 end) as opening_amount,
        sum(
            case when waiting.due_from is null or waiting.due_from > payee_period.period_start then waiting.amount else 0 end
        ) as closing_amount
    from waiting
    inner join payee_period
        on
            {{ same_key('waiting', 'payee_period', payee_key()) }}
            and waiting.earned_from <= payee_period.period_start
            and (waiting.due_from is null or waiting.due_from >= payee_period.period_start)
    group by {{ columns_of('waiting', payee_key(['component_id', 'currency_code'])) }}, payee_period.period_id, waiting.part_kind
),

listed as (
    {% for relation in ['excess', 'negative', 'draw', 'deferred'] %}
        select {{ columns | join(', ') }}
        from {{ relation }}
        {% if relation != 'draw' %}
            where
                opening_amount <> 0
                or closing_amount <> 0
        {% endif %}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

-- A balance goes on from where the last closed period left it: what is known otherwise by now moves it in the open one.
stored as (
    select
        {{ columns_of('closed_balance', payee_key(['component_id', 'currency_code'])) }},
        first_open.period_id,
        closed_balance.balance_kind,
        closed_balance.draw_no,
        closed_balance.closing_amount
    from closed_balance
    inner join period on closed_balance.period_id = period.period_id
    inner join first_open
        on
            closed_balance.scenario_id = first_open.scenario_id
            and period.period_type = first_open.period_type
            and period.period_end = first_open.open_from
    where
        closed_balance.closing_amount <> 0
        and first_open.period_id is not null
),

first_listed as (
    select
        listed.scenario_id,
        listed.payee_type,
        listed.payee_id,
        listed.plan_id,
        listed.component_id,
        listed.currency_code,
        listed.period_id,
        listed.balance_kind,
        listed.draw_no,
        min(listed.plan_version) as plan_version
    from listed
    inner join first_open on {{ same_key('listed', 'first_open', ['scenario_id', 'period_id']) }}
    group by
        listed.scenario_id,
        listed.payee_type,
        listed.payee_id,
        listed.plan_id,
        listed.component_id,
        listed.currency_code,
        listed.period_id,
        listed.balance_kind,
        listed.draw_no
),

begun as (
    select
        {{ columns_of('listed', key) }},
        listed.balance_kind,
        listed.draw_no,
        case
            when first_listed.plan_version is not null then coalesce(stored.closing_amount, 0)
            else listed.opening_amount
        end as opening_amount,
        listed.closing_amount
    from listed
    left join first_listed
        on
            {{ same_key('listed', 'first_listed', key + ['balance_kind', 'draw_no']) }}
    left join stored
        on
            {{ same_key(
                'listed', 'stored',
                ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'currency_code', 'period_id', 'balance_kind', 'draw_no']
            ) }}

    union all

    select
        {{ columns_of('stored', key) }},
        stored.balance_kind,
        stored.draw_no,
        stored.closing_amount as opening_amount,
        case when stored.balance_kind = 'draw' then stored.closing_amount else 0 end as closing_amount
    from stored
    left join first_listed
        on
            {{ same_key(
                'stored', 'first_listed',
                ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'currency_code', 'period_id', 'balance_kind', 'draw_no']
            ) }}
    where first_listed.payee_id is null
),

final as (
    select
        {{ columns_of('begun', key) }},
        period.period_start,
        period.period_end,
        begun.balance_kind,
        cast(begun.draw_no as integer) as draw_no,
        cast(begun.opening_amount as decimal(18, 2)) as opening_amount,
        cast(begun.closing_amount - begun.opening_amount as decimal(18, 2)) as movement_amount,
        cast(begun.closing_amount as decimal(18, 2)) as closing_amount
    from begun
    inner join period on begun.period_id = period.period_id
)

select * from final
