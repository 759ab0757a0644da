-- Grain: one row per scenario, payee, plan version, component, rule, currency, scope (document, period or year) and period paid.
{%- set scope_key = payee_key(['component_id', 'rule_no', 'currency_code', 'scope_id']) %}
{%- set sums = ['measure_amount', 'units', 'net_amount', 'cost_amount', 'list_amount'] %}
with

event as (
    select * from {{ ref('int_incentive__event') }}
    where counted = 'running'
),

target as (
    select * from {{ ref('int_incentive__target') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

rule as (
    select * from {{ source('config', 'plan_rule') }}
    where gate_no is null
),

period as (
    select * from {{ ref('dim_period') }}
),

kpi as (
    select * from {{ source('config', 'kpi') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
),

subject_kpi as (
    select * from {{ ref('int_kpi__subject_period') }}
),

counted as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        {%- for column in sums %}
            cast(sum({{ column }}) as decimal(28, 8)) as {{ column }},
        {%- endfor %}
        cast(sum(case when is_first_rule then measure_amount else 0 end) as decimal(28, 8)) as first_amount,
        max(document_amount) as document_amount,
        max(credit_pct) as credit_pct,
        count(*) as event_count,
        count(*) - count(measure_amount) as unconverted_count
    from event
    group by {{ scope_key | join(', ') }}, period_id
),

-- Without any event there is still a row: what is paid by target, KPI or guarantee alone, and the reason why nothing is.
due as (
    select
        {{ columns_of('target', payee_key(['component_id'])) }},
        rule.rule_no,
        target.currency_code,
        case component.accumulate
            when 'year_to_date' then cast(target.fiscal_year as string)
            else target.period_id
        end as scope_id,
        target.period_id,
        case
            when component.measure <> 'kpi' then cast(0 as decimal(28, 8))
            else cast(subject_kpi.value as decimal(28, 8))
        end as measure_amount,
        case when component.measure = 'kpi' and subject_kpi.value is null then 1 else 0 end as unmeasured_count,
        case
            when component.measure <> 'kpi' then cast(null as string)
            when subject_kpi.kpi_code is null then 'the KPI is not measured for the payee in the period'
            when subject_kpi.value is null then coalesce(subject_kpi.status_reason, subject_kpi.status)
        end as unmeasured_reason
    from target
    inner join component on {{ same_key('target', 'component', plan_key(['component_id'])) }}
    inner join rule on {{ same_key('target', 'rule', plan_key(['component_id'])) }}
    inner join payee_period on {{ same_key('target', 'payee_period', payee_key(['period_id'])) }}
    left join subject_kpi
        on
            component.kpi_code = subject_kpi.kpi_code
            and target.period_id = subject_kpi.period_id
            and {{ is_subject_of('component.kpi_subject', 'payee_period', 'subject_kpi') }}
    where
        component.accumulate <> 'transaction'
        or component.measure = 'kpi'
),

listed as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        {{ sums | join(', ') }},
        first_amount,
        document_amount,
        credit_pct,
        event_count,
        unconverted_count,
        0 as unmeasured_count,
        cast(null as string) as unmeasured_reason
    from counted

    union all

    select
        {{ scope_key | join(', ') }},
        period_id,
        measure_amount,
        measure_amount as units,
        cast(0 as decimal(28, 8)) as net_amount,
        cast(0 as decimal(28, 8)) as cost_amount,
        cast(0 as decimal(28, 8)) as list_amount,
        measure_amount as first_amount,
        cast(null as decimal(28, 8)) as document_amount,
        cast(null as decimal(9, 4)) as credit_pct,
        0 as event_count,
        0 as unconverted_count,
        unmeasured_count,
        unmeasured_reason
    from due
),

summed as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        {%- for column in sums + ['first_amount'] %}
            cast(coalesce(sum({{ column }}), 0) as decimal(28, 8)) as {{ column }},
        {%- endfor %}
        max(document_amount) as document_amount,
        max(credit_pct) as credit_pct,
        sum(event_count) as event_count,
        sum(unconverted_count) as unconverted_count,
        sum(unmeasured_count) as unmeasured_count,
        max(unmeasured_reason) as unmeasured_reason
    from listed
    group by {{ scope_key | join(', ') }}, period_id
),

-- The component as a whole, whatever rule pays a sale: attainment is measured on it.
component_sum as (
    select
        {{ payee_key(['component_id', 'currency_code', 'scope_id', 'period_id']) | join(', ') }},
        cast(sum(first_amount) as decimal(28, 8)) as component_amount
    from summed
    group by {{ payee_key(['component_id', 'currency_code', 'scope_id', 'period_id']) | join(', ') }}
),

running as (
    select
        {{ columns_of('summed', scope_key) }},
        summed.period_id,
        period.period_start,
        summed.document_amount,
        summed.credit_pct,
        summed.event_count,
        {%- for column in sums %}
            cast(sum(summed.{{ column }}) over scope as decimal(28, 8)) as {{ column }},
        {%- endfor %}
        cast(sum(component_sum.component_amount) over scope as decimal(28, 8)) as component_amount,
        sum(summed.unconverted_count) over scope as unconverted_count,
        summed.unmeasured_count,
        summed.unmeasured_reason
    from summed
    inner join period on summed.period_id = period.period_id
    inner join component_sum
        on {{ same_key('summed', 'component_sum', payee_key(['component_id', 'currency_code', 'scope_id', 'period_id'])) }}
    window scope as (
        partition by {{ columns_of('summed', scope_key) }}
        order by period.period_start nulls last
        rows between unbounded preceding and current row
    )
),

-- What is counted in a period that is over (a late payment, a return rated anew) is set against that period's target.
set_against as (
    select
        running.*,
        component.kind,
        kpi.direction,
        case when component.kind = 'spiff' then of_target.target_value else target.target_value end as target_value,
        target.target_ids,
        target.status as target_status,
        target.reason as target_reason,
        {{ multiply('target.target_pay_amount', 'component.weight_pct * 0.01') }} as weighted_pay_amount
    from running
    inner join component on {{ same_key('running', 'component', plan_key(['component_id'])) }}
    left join kpi on component.kpi_code = kpi.kpi_code
    left join target
        on
            {{ same_key('running', 'target', payee_key(['component_id'])) }}
            and target.period_id = case component.accumulate when 'period' then running.scope_id else running.period_id end
    -- A SPIFF is measured by the target of the component that it is of.
    left join target as of_target
        on
            {{ same_key('running', 'of_target', payee_key(['period_id'])) }}
            and component.of_component_id = of_target.component_id
),

final as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        period_start,
        cast(event_count as bigint) as event_count,
        {{ sums | join(', ') }},
        component_amount,
        document_amount,
        credit_pct,
        target_value,
        target_ids,
        target_status,
        target_reason,
        weighted_pay_amount,
        -- Attainment as a quotient, of a KPI that is better the lower turned over.
        cast(case when direction = 'lower' then target_value else component_amount end as decimal(28, 8)) as attained_amount,
        cast(case when direction = 'lower' then component_amount else target_value end as decimal(28, 8)) as attained_of_amount,
        case
            when target_value > 0 and direction = 'lower'
                then case
                    when component_amount > 0
                        then cast({{ exact_divide('target_value', 'nullif(component_amount, 0)', 8) }} as decimal(28, 8))
                end
            when target_value > 0
                then cast({{ exact_divide('component_amount', 'nullif(target_value, 0)', 8) }} as decimal(28, 8))
        end as attainment,
        cast(unconverted_count as bigint) as unconverted_count,
        cast(unmeasured_count as bigint) as unmeasured_count,
        unmeasured_reason
    from set_against
)

select * from final
