-- Grain: one row per scenario, payee, plan version, component, rule and sale line that counts, or did a year before.
{{ config(materialized='view') }}
{%- set line_key = payee_key(['component_id', 'rule_no', 'transaction_id', 'line_no', 'credit_role']) %}
with

matched as (
    select * from {{ ref('int_incentive__matched') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

termed as (
    select
        {{ columns_of('component', plan_key(['component_id'])) }},
        component.accumulate,
        component.measure = 'collected_amount' or component.collected_pct = 100 as is_collected
    from component
),

-- Running totals are taken inside a scope: the document, the period or the fiscal year.
final as (
    select
        {{ columns_of('matched', line_key) }},
        case when matched.is_last_year then 'last_year' else 'sale' end as event_kind,
        matched.transaction_id as event_id,
        matched.line_no as event_line_no,
        matched.counted_date as event_date,
        matched.fiscal_month_start,
        matched.period_id,
        case termed.accumulate
            when 'transaction' then matched.transaction_id
            when 'period' then matched.period_id
            else cast(matched.fiscal_year as string)
        end as scope_id,
        case
            when matched.is_last_year then 'no'
            when termed.is_collected then 'when_paid'
            else 'running'
        end as counted,
        matched.currency_code,
        matched.credit_pct,
        matched.is_first_rule,
        matched.document_amount,
        matched.document_currency_code,
        matched.line_net_amount,
        matched.line_quantity,
        matched.measure_amount,
        matched.units,
        matched.net_amount,
        matched.cost_amount,
        matched.list_amount,
        cast(null as decimal(28, 10)) as back_share,
        cast(100 as decimal(9, 4)) as taken_pct,
        cast(null as string) as uncounted_reason
    from matched
    inner join termed on {{ same_key('matched', 'termed', plan_key(['component_id'])) }}
)

select * from final
