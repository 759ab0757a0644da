-- Grain: one row per scenario, payee, plan version, component, rule and event: a sale line, what came back of it, or a payment.
{{ config(materialized='view', meta={'kept_by': 'fiscal_month_start', 'redone': 'int_incentive__pay_state'}) }}
with

sale as (
    select
        *,
        transaction_id as event_id,
        line_no as event_line_no,
        cast(null as decimal(28, 10)) as back_share,
        cast(100 as decimal(9, 4)) as taken_pct,
        cast(null as string) as uncounted_reason
    from {{ ref('int_incentive__matched') }}
),

later as (
    select * from {{ ref('int_incentive__later_event') }}
),

final as (
    {% for relation in ['sale', 'later'] %}
        select {{ event_columns() | join(', ') }}
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
