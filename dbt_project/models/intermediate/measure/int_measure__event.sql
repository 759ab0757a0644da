-- Grain: one row per event and measure.
{{ config(materialized='view') }}
{% set models = {
    'training': ['training', 'training_coverage'],

    'survey': ['survey', 'team_pulse'],

    'sales': ['sales'],

    'stock_and_market': [],

    'collection': ['collection'],

    'targets': ['target', 'objective', 'target_approval'],

    'pipeline': ['pipeline'],

    'crm': ['crm_account', 'crm_user', 'stage_change'],

    'shared_deals': ['shared_deal'],

    'service': ['service'],

    'support': ['support'],

    'communication': ['communication', 'dealer_contact'],

    'actions': ['action', 'career_conversation'],

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
