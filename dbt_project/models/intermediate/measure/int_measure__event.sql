-- Grain: one row per event and measure.
{{ config(materialized='view') }}
{% set models = {
    'training': ['training', 'training_coverage'],

    'survey': ['survey', 'team_pulse'],

    'sales': [],

    'stock_and_market': [],

    'collection': ['collection'],

    'targets': [],

    'pipeline': [],

    'crm': [],

    'shared_deals': [],

    'service': ['service'],

    'support': ['support'],

    'communication': [],

    'actions': [],

    'events': ['attendance'],

    'people': ['employment', 'promotion', 'skill'],

    'reviews': ['peer_rating', 'review_delivery'],
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
