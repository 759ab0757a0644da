-- Grain: one row per scenario, payee, plan version, component, currency, period, earlier period that comes to another amount, and cause.
{%- set payee = ['scenario_id', 'payee_type', 'payee_id', 'plan_id'] %}
{%- set paid_key = payee + ['component_id', 'currency_code', 'period_id'] %}
with

line as (
    select * from {{ ref('int_incentive__line') }}
),

settled as (
    select * from {{ ref('int_incentive__settled') }}
),

bounded as (
    select * from {{ ref('int_incentive__bounded') }}
    where limited_amount <> amount
),

first_open as (
    select * from {{ ref('int_incentive__first_open') }}
),

paid_line as (
    select * from {{ source('config', 'paid_line') }}
),

closed_period as (
    select * from {{ source('closed', 'period') }}
),

closed_line as (
    select * from {{ source('closed', 'statement_line') }}
    where line_kind not in ('draw', 'draw_recovery')
),

late_cause as (
    select * from {{ source('closed', 'late_cause') }}
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
    select {{ (payee + ['period_id']) | join(', ') }}
    from payee_period
    group by {{ (payee + ['period_id']) | join(', ') }}
),

-- Closed for everybody where a period was closed; a plan test says what was paid to whom. Periods of a test that nobody can
-- reckon again (the payee had no plan in them that is known) stay as they were paid.
told as (
    select {{ columns_of('paid_line', payee + ['period_id']) }}
    from paid_line
    inner join known on {{ same_key('paid_line', 'known', payee + ['period_id']) }}
    group by {{ columns_of('paid_line', payee + ['period_id']) }}
),

counted as (
    {% for relation in ['line', 'settled'] %}
        select
            {{ paid_key | join(', ') }},
            plan_version,
            amount
        from {{ relation }}
        union all
    {% endfor %}
    select
        {{ payee | join(', ') }},
        'statement' as component_id,
        currency_code,
        period_id,
        plan_version,
        limited_amount - amount as amount
    from bounded
),

now as (
    select
        {{ columns_of('counted', paid_key) }},
        max(counted.plan_version) as plan_version,
        count(*) - count(counted.amount) as held_count,
        coalesce(sum(counted.amount), 0) as amount
    from counted
    left join told on {{ same_key('counted', 'told', payee + ['period_id']) }}
    left join closed_period on {{ same_key('counted', 'closed_period', ['scenario_id', 'period_id']) }}
    where
        told.period_id is not null
        or closed_period.period_id is not null
    group by {{ columns_of('counted', paid_key) }}
),

-- What was settled for a period later is paid for that one.
paid_amount as (
    select
        {{ columns_of('paid_line', paid_key) }},
        0 as plan_version,
        paid_line.amount
    from paid_line
    inner join told on {{ same_key('paid_line', 'told', payee + ['period_id']) }}

    union all

    select
        {{ (payee + ['component_id', 'currency_code']) | join(', ') }},
        coalesce(earlier_period_id, period_id) as period_id,
        plan_version,
        amount
    from closed_line
),

stated as (
    select
        {{ paid_key | join(', ') }},
        max(plan_version) as plan_version,
        count(*) - count(amount) as held_count,
        coalesce(sum(amount), 0) as amount
    from paid_amount
    group by {{ paid_key | join(', ') }}
),

compared as (
    select
        {% for column in paid_key -%}
            coalesce(now.{{ column }}, stated.{{ column }}) as {{ column }},
        {% endfor -%}
        greatest(coalesce(now.plan_version, 0), coalesce(stated.plan_version, 0)) as plan_version,
        coalesce(now.held_count, 0) > coalesce(stated.held_count, 0) as is_held,
        coalesce(now.amount, 0) as now_amount,
        coalesce(stated.amount, 0) as paid_amount
    from now
    full outer join stated on {{ same_key('now', 'stated', paid_key) }}
),

-- What was paid stays; what it comes to by now is settled in the first period of the plan that is still open.
closed as (
    select
        {{ columns_of('compared', payee) }},
        period.period_type,
        max(coalesce(first_open.open_from, period.period_end)) as closed_until,
        max(compared.plan_version) as plan_version,
        row_number() over (
            partition by {{ columns_of('compared', payee) }}
            order by max(coalesce(first_open.open_from, period.period_end)) desc nulls last, period.period_type nulls last
        ) as place
    from compared
    inner join period on compared.period_id = period.period_id
    left join first_open
        on
            compared.scenario_id = first_open.scenario_id
            and period.period_type = first_open.period_type
    group by {{ columns_of('compared', payee) }}, period.period_type
),

held_next as (
    select
        {{ columns_of('payee_period', payee_key(['period_id', 'period_start', 'fiscal_year'])) }},
        row_number() over (
            partition by {{ columns_of('payee_period', payee) }}
            order by payee_period.period_start nulls last, payee_period.plan_version nulls last
        ) as open_no
    from payee_period
    inner join closed
        on
            {{ same_key('payee_period', 'closed', payee) }}
            and payee_period.period_start >= closed.closed_until
),

-- Who has the plan no more is settled in the first open period all the same, under the version that was paid.
opened as (
    select
        {{ payee_key() | join(', ') }},
        period_id,
        period_start,
        fiscal_year
    from held_next
    where open_no = 1

    union all

    select
        {{ columns_of('closed', payee) }},
        closed.plan_version,
        period.period_id,
        period.period_start,
        period.fiscal_year
    from closed
    inner join period
        on
            closed.period_type = period.period_type
            and closed.closed_until = period.period_start
            and period.period_start < {{ built_until() }}
    left join held_next on {{ same_key('closed', 'held_next', payee) }}
    where
        held_next.payee_id is null
        and closed.place = 1
        and closed.scenario_id in (select scenario_id from closed_period)
),

-- By year to date less paid the earlier periods of the year count whether they were paid or not.
unclosed as (
    select
        {{ columns_of('counted', paid_key) }},
        coalesce(sum(counted.amount), 0) as now_amount
    from counted
    inner join opened on {{ same_key('counted', 'opened', payee) }}
    inner join plan
        on
            {{ same_key('opened', 'plan', plan_key()) }}
            and plan.is_year_to_date_less_paid
    inner join period
        on
            counted.period_id = period.period_id
            and opened.fiscal_year = period.fiscal_year
            and opened.period_start >= period.period_end
    left join compared on {{ same_key('counted', 'compared', paid_key) }}
    where compared.period_id is null
    group by {{ columns_of('counted', paid_key) }}
),

differing as (
    select
        {{ paid_key | join(', ') }},
        is_held,
        now_amount,
        paid_amount
    from compared
    where
        is_held
        or now_amount <> paid_amount

    union all

    select
        {{ paid_key | join(', ') }},
        false as is_held,
        now_amount,
        0 as paid_amount
    from unclosed
    where now_amount <> 0
),

-- Causes of another state of things are those of another difference.
explained as (
    select
        {{ paid_key | join(', ') }},
        sum(amount) as amount
    from late_cause
    group by {{ paid_key | join(', ') }}
),

placed as (
    select
        {{ columns_of('opened', payee_key()) }},
        differing.component_id,
        differing.currency_code,
        opened.period_id,
        differing.period_id as earlier_period_id,
        coalesce(plan.late_facts, 'adjust') as late_facts,
        explained.period_id is not null as is_explained,
        differing.now_amount,
        differing.paid_amount,
        case when not differing.is_held then differing.now_amount - differing.paid_amount end as amount
    from differing
    inner join opened on {{ same_key('differing', 'opened', payee) }}
    left join plan on {{ same_key('opened', 'plan', plan_key()) }}
    left join explained
        on
            {{ same_key('differing', 'explained', paid_key) }}
            and differing.now_amount - differing.paid_amount = explained.amount
            and not differing.is_held
),

final as (
    select
        {{ columns_of('placed', payee_key(['component_id', 'currency_code', 'period_id', 'earlier_period_id', 'late_facts'])) }},
        cast(coalesce(late_cause.cause_no, 0) as integer) as cause_no,
        coalesce(late_cause.cause, 'all') as cause,
        placed.is_explained,
        cast(coalesce(late_cause.after_amount, placed.now_amount) as decimal(18, 2)) as now_amount,
        cast(coalesce(late_cause.before_amount, placed.paid_amount) as decimal(18, 2)) as paid_amount,
        cast(coalesce(late_cause.amount, placed.amount) as decimal(18, 2)) as amount
    from placed
    left join late_cause
        on
            {{ same_key('placed', 'late_cause', payee + ['component_id', 'currency_code']) }}
            and placed.earlier_period_id = late_cause.period_id
            and case when placed.is_explained then 'paid' end = late_cause.scenario_id
)

select * from final
