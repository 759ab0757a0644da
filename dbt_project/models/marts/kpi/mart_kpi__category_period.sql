-- Grain: one row per category and fiscal period begun.
{{ by_fiscal_period('int_kpi__subject_state') }}
{%- set keys = [
    'category_id', 'subject_name', 'period_id', 'period_type', 'period_start', 'period_end', 'is_complete',
] %}
{%- set kpis = [
    'net_revenue', 'gross_margin_amount', 'gross_margin_pct', 'units', 'gross_sales_amount', 'discount_pct', 'returns_pct',
    'active_dealers', 'dealer_concentration_pct', 'dealer_hhi', 'retention_pct', 'loyal_dealer_pct', 'growth_previous_pct',
    'growth_last_year_pct', 'sell_through_pct', 'sell_through_stock_pct', 'sell_through_on_hand_pct', 'stock_days', 'market_share_pct',
    'market_share_units_pct', 'market_share_change_pct', 'relative_market_share', 'price_index_own', 'open_pipeline_amount',
    'weighted_pipeline_amount', 'new_opportunities', 'win_rate_count_pct', 'win_rate_value_pct',
] %}
with

listed as (
    select
        subject_id as category_id,
        subject_name,
        period_id,
        period_type,
        period_start,
        period_end,
        is_complete,
        kpi_code,
        value
    from {{ ref('mart_kpi__subject_period') }}
    where
        subject_type = 'category'
        and {{ of_this_build('int_kpi__subject_state', 'period_id') }}
),

final as (
    {{ a_column_per_kpi('listed', keys, kpis) }}
)

select * from final
