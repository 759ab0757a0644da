-- Grain: one row per subject, fiscal period begun and KPI, but for those that are taken of targets.
{% set models = {
    'measures': ['measure_value'],

    'sales': ['sales_value', 'dealer_activity', 'dealer_loyalty', 'dealer_concentration'],

    'growth': [],

    'targets': [],

    'stock_and_market': ['sell_through', 'market'],

    'collection': ['days_sales_outstanding'],

    'pipeline': ['forecast_error'],

    'crm': ['revenue_with_opportunity'],

    'shared_deals': [],

    'service': [],

    'support': [],

    'communication': [],

    'actions': [],

    'events': [],

    'people': [],

    'reviews': [],
} %}
with

final as (
    {% for model in models.values() | sum(start=[]) %}
        select
            subject_type,
            subject_id,
            period_id,
            kpi_code,
            numerator,
            denominator,
            value,
            sample_size,
            ci_low,
            ci_high,
            ci_method,
            rate_type,
            status,
            status_reason
        from {{ ref('int_kpi__' ~ model) }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
