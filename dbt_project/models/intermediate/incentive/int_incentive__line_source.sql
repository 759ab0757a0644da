-- Grain: one row per statement line and row behind it: a sale line, return or payment, or the line, target, draw it follows from.
{{ by_fiscal_month('int_incentive__pay_state', in_steps='pay') }}
{%- set columns = [
    'scenario_id', 'statement_line_id', 'period_id', 'source_feed', 'source_id', 'transaction_id', 'line_no', 'credit_role', 'is_paid_anew',
    'fiscal_month_start', 'credited_amount', 'amount',
] %}
with

-- Millions of rows are sorted by a number sooner than by a long text.
statement_line as (
    select
        *,
        row_number() over (order by statement_line_id nulls last) as statement_line_no
    from {{ ref('int_incentive__statement_line') }}
),

line as (
    select * from {{ ref('int_incentive__line') }}
),

earned as (
    select * from {{ ref('int_incentive__earned') }}
    where {{ of_this_build('int_incentive__pay_state') }}
),

reversed as (
    select * from {{ ref('int_incentive__reversed') }}
    where {{ of_this_build('int_incentive__pay_state') }}
),

carried as (
    select * from {{ ref('int_incentive__carried') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
    where {{ of_this_build('int_incentive__pay_state', 'month_start') }}
),

sale_line as (
    select * from {{ ref('fct_sale_line') }}
),

late_source as (
    select * from {{ source('closed', 'late_source') }}
),

earned_line as (
    select
        statement_line.scenario_id,
        statement_line.statement_line_id,
        statement_line.statement_line_no,
        statement_line.period_id,
        statement_line.amount as line_amount,
        statement_line.currency_code,
        earned.event_date,
        earned.event_kind,
        earned.event_id,
        earned.transaction_id,
        earned.line_no,
        earned.credit_role,
        earned.is_paid_anew,
        earned.fiscal_month_start,
        earned.event_line_no,
        earned.base_amount,
        earned.amount,
        line.earned_before_amount as amount_before
    from earned
    inner join component on {{ same_key('earned', 'component', plan_key(['component_id'])) }}
    inner join line
        on
            {{ same_key('earned', 'line', payee_key(['component_id', 'currency_code', 'period_id', 'rule_no', 'segment_no'])) }}
            and case component.accumulate when 'period' then earned.scope_id else earned.period_id end = line.earned_period_id
    inner join statement_line
        on
            {{ same_key('earned', 'statement_line', payee_key(['component_id', 'currency_code', 'period_id'])) }}
            and statement_line.line_kind = 'earned'
            and statement_line.line_detail = cast(earned.rule_no as string) || '.' || cast(earned.segment_no as string)
            || case
                when component.accumulate = 'period' and earned.scope_id <> earned.period_id then ' ' || earned.scope_id
                else ''
            end

    union all

    select
        statement_line.scenario_id,
        statement_line.statement_line_id,
        statement_line.statement_line_no,
        statement_line.period_id,
        statement_line.amount as line_amount,
        statement_line.currency_code,
        reversed.event_date,
        reversed.event_kind,
        reversed.event_id,
        reversed.transaction_id,
        reversed.line_no,
        reversed.credit_role,
        false as is_paid_anew,
        reversed.fiscal_month_start,
        reversed.event_line_no,
        cast(reversed.measure_amount as decimal(28, 10)) as base_amount,
        reversed.reversed_amount as amount,
        carried.reversed_before_amount as amount_before
    from reversed
    inner join carried
        on {{ same_key('reversed', 'carried', payee_key(['component_id', 'currency_code', 'period_id'])) }}
    inner join statement_line
        on
            {{ same_key('reversed', 'statement_line', payee_key(['component_id', 'currency_code', 'period_id'])) }}
            and statement_line.line_kind = 'reversal'
),

-- Differences of one rounded running total, which goes on from that of the period before, add up to the line.
running as (
    select
        *,
        amount_before + sum(amount) over line_events as amount_after,
        sum(case when amount is null then 1 else 0 end) over (partition by statement_line_no) as held_count
    from earned_line
    window line_events as (
        partition by statement_line_no
        order by
            event_date nulls last, event_id nulls last, event_line_no nulls last, transaction_id nulls last,
            line_no nulls last, credit_role nulls last, is_paid_anew nulls last
        rows between unbounded preceding and current row
    )
),

spread as (
    select
        scenario_id,
        statement_line_id,
        period_id,
        event_kind,
        event_id,
        event_line_no,
        transaction_id,
        line_no,
        credit_role,
        is_paid_anew,
        fiscal_month_start,
        base_amount,
        line_amount,
        case
            when held_count = 0 and line_amount is not null
                then cast(
                    {{ round_pay('amount_after', 'currency_code', 10) }}
                    - {{ round_pay('(amount_after - amount)', 'currency_code', 10) }} as decimal(18, 2)
                )
        end as amount
    from running
),

-- What of a closed period is settled by its cause has the rows of which the cause changed the cents.
from_cause as (
    select
        statement_line.scenario_id,
        statement_line.statement_line_id,
        statement_line.period_id,
        late_source.source_feed,
        late_source.source_id,
        late_source.transaction_id,
        late_source.line_no,
        late_source.credit_role,
        late_source.is_paid_anew,
        fiscal_month.month_start as fiscal_month_start,
        cast(null as decimal(28, 10)) as credited_amount,
        late_source.amount
    from statement_line
    inner join late_source
        on
            {{ same_key(
                'statement_line', 'late_source',
                ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'currency_code', 'cause']
            ) }}
            and statement_line.earlier_period_id = late_source.period_id
    inner join fiscal_month on statement_line.period_end = fiscal_month.month_end
    where statement_line.line_kind = 'late'
),

given as (
    select
        statement_line_id,
        sum(amount) as amount
    from (
        select
            statement_line_id,
            amount
        from spread
        union all
        select
            statement_line_id,
            amount
        from from_cause
    ) as given_row
    group by statement_line_id
),

from_sales as (
    select
        spread.scenario_id,
        spread.statement_line_id,
        spread.period_id,
        case spread.event_kind when 'payment' then 'payments' else 'sales' end as source_feed,
        spread.event_kind || ' ' || spread.event_id || '/' || cast(spread.event_line_no as string)
        || case when spread.event_kind = 'payment' then ' of ' || spread.transaction_id else '' end
        || ' as ' || spread.credit_role
        || case when spread.is_paid_anew then ', anew' else '' end as source_id,
        case when spread.event_kind = 'return' then spread.event_id else spread.transaction_id end as transaction_id,
        case when spread.event_kind = 'return' then spread.event_line_no else spread.line_no end as line_no,
        spread.credit_role,
        spread.is_paid_anew,
        spread.fiscal_month_start,
        spread.base_amount as credited_amount,
        spread.amount
    from spread
),

-- What no sale earned: a KPI, a target alone, a limit, a draw, a release. The plan, or the line before it, is behind it.
from_plan as (
    select
        statement_line.scenario_id,
        statement_line.statement_line_id,
        statement_line.period_id,
        case statement_line.line_kind when 'adjustment' then 'adjustments' else 'plan' end as source_feed,
        case
            when statement_line.line_kind = 'adjustment' then statement_line.line_detail
            else statement_line.line_kind || ' ' || statement_line.line_detail
        end as source_id,
        cast(null as string) as transaction_id,
        cast(null as bigint) as line_no,
        cast(null as string) as credit_role,
        false as is_paid_anew,
        fiscal_month.month_start as fiscal_month_start,
        cast(case when given.statement_line_id is null then statement_line.base_amount else 0 end as decimal(28, 10))
            as credited_amount,
        cast(statement_line.amount - coalesce(given.amount, 0) as decimal(18, 2)) as amount
    from statement_line
    inner join fiscal_month on statement_line.period_end = fiscal_month.month_end
    left join given on statement_line.statement_line_id = given.statement_line_id
    where statement_line.amount <> coalesce(given.amount, 0)
),

listed as (
    select {{ columns | join(', ') }}
    from from_sales
    union all
    select {{ columns | join(', ') }}
    from from_cause
    union all
    select {{ columns | join(', ') }}
    from from_plan
),

final as (
    select
        listed.scenario_id,
        listed.statement_line_id,
        listed.period_id,
        listed.source_feed,
        listed.source_id,
        listed.transaction_id,
        listed.line_no,
        sale_line._source,
        sale_line._source_file,
        sale_line._delivery_id,
        sale_line._row_number,
        sale_line._row_part,
        listed.fiscal_month_start,
        listed.credit_role,
        listed.is_paid_anew,
        listed.credited_amount,
        listed.amount
    from listed
    left join sale_line
        on
            listed.transaction_id = sale_line.transaction_id
            and listed.line_no = sale_line.line_no
)

select * from final
