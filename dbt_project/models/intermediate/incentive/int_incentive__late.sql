-- Grain: one row per scenario, payee, plan version, component, currency, period and earlier period that comes to another amount now.
{%- set paid_key = ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'currency_code', 'period_id'] %}
with

line as (
    select * from {{ ref('int_incentive__line') }}
),

settled as (
    select * from {{ ref('int_incentive__settled') }}
),

paid_line as (
    select * from {{ source('config', 'paid_line') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
),

plan as (
    select * from {{ source('config', 'plan') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

known as (
    select
        scenario_id,
        payee_type,
        payee_id,
        plan_id,
        period_id
    from payee_period
    group by scenario_id, payee_type, payee_id, plan_id, period_id
),

counted as (
    select
        {{ paid_key | join(', ') }},
        amount
    from line
    union all
    select
        {{ paid_key | join(', ') }},
        amount
    from settled
),

now as (
    select
        {{ paid_key | join(', ') }},
        coalesce(sum(amount), 0) as amount
    from counted
    group by {{ paid_key | join(', ') }}
),

-- Periods that nobody can reckon again (the payee had no plan in them that is known) stay as they were paid.
stated as (
    select
        {{ columns_of('paid_line', paid_key) }},
        sum(paid_line.amount) as amount
    from paid_line
    inner join known
        on {{ same_key('paid_line', 'known', ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'period_id']) }}
    group by {{ columns_of('paid_line', paid_key) }}
),

-- What was paid stays; what it comes to by now is settled in the first period of the plan that is still open.
closed as (
    select
        stated.scenario_id,
        stated.payee_type,
        stated.payee_id,
        stated.plan_id,
        max(period.period_end) as closed_until
    from stated
    inner join period on stated.period_id = period.period_id
    group by stated.scenario_id, stated.payee_type, stated.payee_id, stated.plan_id
),

opened as (
    select
        {{ columns_of('payee_period', payee_key(['period_id', 'period_start', 'fiscal_year'])) }},
        row_number() over (
            partition by payee_period.scenario_id, payee_period.payee_type, payee_period.payee_id, payee_period.plan_id
            order by payee_period.period_start nulls last, payee_period.plan_version nulls last
        ) as open_no
    from payee_period
    inner join closed
        on
            {{ same_key('payee_period', 'closed', ['scenario_id', 'payee_type', 'payee_id', 'plan_id']) }}
            and payee_period.period_start >= closed.closed_until
),

-- By year to date less paid the earlier periods of the year count whether they were paid or not.
unpaid as (
    select
        {{ columns_of('now', paid_key) }},
        cast(0 as decimal(18, 2)) as amount
    from now
    inner join opened
        on
            {{ same_key('now', 'opened', ['scenario_id', 'payee_type', 'payee_id', 'plan_id']) }}
            and opened.open_no = 1
    inner join plan
        on
            {{ same_key('opened', 'plan', plan_key()) }}
            and plan.is_year_to_date_less_paid
    inner join period
        on
            now.period_id = period.period_id
            and opened.fiscal_year = period.fiscal_year
            and opened.period_start >= period.period_end
    left join stated on {{ same_key('now', 'stated', paid_key) }}
    where stated.period_id is null
),

paid as (
    select
        {{ paid_key | join(', ') }},
        amount
    from stated
    union all
    select
        {{ paid_key | join(', ') }},
        amount
    from unpaid
),

final as (
    select
        {{ columns_of('opened', payee_key()) }},
        paid.component_id,
        paid.currency_code,
        opened.period_id,
        paid.period_id as earlier_period_id,
        plan.late_facts,
        cast(coalesce(now.amount, 0) as decimal(18, 2)) as now_amount,
        cast(paid.amount as decimal(18, 2)) as paid_amount,
        cast(coalesce(now.amount, 0) - paid.amount as decimal(18, 2)) as amount
    from paid
    inner join opened
        on
            {{ same_key('paid', 'opened', ['scenario_id', 'payee_type', 'payee_id', 'plan_id']) }}
            and opened.open_no = 1
    inner join plan on {{ same_key('opened', 'plan', plan_key()) }}
    left join now on {{ same_key('paid', 'now', paid_key) }}
    where coalesce(now.amount, 0) <> paid.amount
)

select * from final
