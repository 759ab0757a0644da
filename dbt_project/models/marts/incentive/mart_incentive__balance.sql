-- Grain: one row per scenario, payee, plan version, component, currency, period and kind of balance; of draws by draw.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id']) %}
{%- set columns = key + ['balance_kind', 'draw_no', 'opening_amount', 'closing_amount'] %}
with

limited as (
    select * from {{ ref('int_incentive__limited') }}
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

final as (
    select
        {{ columns_of('listed', key) }},
        period.period_start,
        period.period_end,
        listed.balance_kind,
        cast(listed.draw_no as integer) as draw_no,
        cast(listed.opening_amount as decimal(18, 2)) as opening_amount,
        cast(listed.closing_amount - listed.opening_amount as decimal(18, 2)) as movement_amount,
        cast(listed.closing_amount as decimal(18, 2)) as closing_amount
    from listed
    inner join period on listed.period_id = period.period_id
)

select * from final
