-- Grain: one row per event and measure.
{{ config(materialized='view') }}
{% set models = {
    'training': ['training'],

    'survey': ['survey'],

    'sales': [],

    'stock_and_market': [],

    'collection': [],

    'targets': [],

    'pipeline': [],

    'crm': [],

    'shared_deals': [],

    'service': [],

    'support': [],

    'communication': ['communication', 'dealer_contact'],

    'actions': ['action', 'career_conversation'],

    'events': [],

    'people': [],

    'reviews': [],
} %}
with

final as (
    {% for events in models.values() | sum(start=[]) %}
        select
            event_id,
            measure_code,
            member_id,
            dealer_id,
            team,
            region,
            product_category,
            fiscal_month_start,
            known_month_start,
            value
        from {{ ref('int_measure__' ~ events) }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
