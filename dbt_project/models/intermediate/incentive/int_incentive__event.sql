-- Grain: one row per scenario, payee, plan version, component, rule and event: a sale line, what came back of it, or a payment.
{{ config(materialized='view') }}
{%- set line_key = payee_key(['component_id', 'rule_no', 'transaction_id', 'line_no', 'credit_role']) %}
{%- set columns = line_key + [
    'event_kind', 'event_id', 'event_line_no', 'event_date', 'fiscal_month_start', 'period_id', 'scope_id', 'counted',
    'currency_code', 'credit_pct', 'is_first_rule', 'document_amount', 'document_currency_code', 'line_net_amount',
    'line_quantity', 'measure_amount', 'units', 'net_amount', 'cost_amount', 'list_amount', 'back_share', 'taken_pct',
    'uncounted_reason',
] %}
with

sale as (
    select * from {{ ref('int_incentive__sale_event') }}
),

later as (
    select * from {{ ref('int_incentive__later_event') }}
),

final as (
    select {{ columns | join(', ') }}
    from sale
    union all
    select {{ columns | join(', ') }}
    from later
)

select * from final
