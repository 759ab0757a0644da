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

-- Of these measures, what belongs to nobody is that of the subject unassigned.
unowned as (
    select
        measure_code,
        unowned_subject,
        unowned_category
    from {{ source('config', 'measure') }}
    where unowned_subject is not null
),

event as (
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
),

final as (
    select
        event.event_id,
        event.measure_code,
        coalesce(event.member_id, unowned.unowned_subject) as member_id,
        event.dealer_id,
        coalesce(event.team, unowned.unowned_subject) as team,
        coalesce(event.region, unowned.unowned_subject) as region,
        coalesce(event.product_category, unowned.unowned_category) as product_category,
        event.fiscal_month_start,
        event.known_month_start,
        event.value
    from event
    left join unowned on event.measure_code = unowned.measure_code
)

select * from final
