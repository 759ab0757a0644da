-- Grain: one row per category and fiscal period begun.
with

subject_period as (
    select * from {{ ref('mart_kpi__subject_period') }}
),

final as (
    select
        subject_id as category_id,
        subject_name,
        period_id,
        period_type,
        period_start,
        period_end,
        is_complete,
        max(value) filter (where kpi_code = 'net_revenue') as net_revenue,
        max(value) filter (where kpi_code = 'gross_margin_amount') as gross_margin_amount,
        max(value) filter (where kpi_code = 'gross_margin_pct') as gross_margin_pct,
        max(value) filter (where kpi_code = 'units') as units,
        max(value) filter (where kpi_code = 'gross_sales_amount') as gross_sales_amount,
        max(value) filter (where kpi_code = 'discount_pct') as discount_pct,
        max(value) filter (where kpi_code = 'returns_pct') as returns_pct,
        max(value) filter (where kpi_code = 'active_dealers') as active_dealers,
        max(value) filter (where kpi_code = 'dealer_concentration_pct') as dealer_concentration_pct,
        max(value) filter (where kpi_code = 'dealer_hhi') as dealer_hhi,
        max(value) filter (where kpi_code = 'retention_pct') as retention_pct,
        max(value) filter (where kpi_code = 'loyal_dealer_pct') as loyal_dealer_pct,
        max(value) filter (where kpi_code = 'growth_previous_pct') as growth_previous_pct,
        max(value) filter (where kpi_code = 'growth_last_year_pct') as growth_last_year_pct,
        max(value) filter (where kpi_code = 'sell_through_pct') as sell_through_pct,
        max(value) filter (where kpi_code = 'sell_through_stock_pct') as sell_through_stock_pct,
        max(value) filter (where kpi_code = 'sell_through_on_hand_pct') as sell_through_on_hand_pct,
        max(value) filter (where kpi_code = 'stock_days') as stock_days,
        max(value) filter (where kpi_code = 'market_share_pct') as market_share_pct,
        max(value) filter (where kpi_code = 'market_share_units_pct') as market_share_units_pct,
        max(value) filter (where kpi_code = 'market_share_change_pct') as market_share_change_pct,
        max(value) filter (where kpi_code = 'relative_market_share') as relative_market_share,
        max(value) filter (where kpi_code = 'price_index_own') as price_index_own,
        max(value) filter (where kpi_code = 'open_pipeline_amount') as open_pipeline_amount,
        max(value) filter (where kpi_code = 'weighted_pipeline_amount') as weighted_pipeline_amount,
        max(value) filter (where kpi_code = 'new_opportunities') as new_opportunities,
        max(value) filter (where kpi_code = 'win_rate_count_pct') as win_rate_count_pct,
        max(value) filter (where kpi_code = 'win_rate_value_pct') as win_rate_value_pct
    from subject_period
    where subject_type = 'category'
    group by subject_id, subject_name, period_id, period_type, period_start, period_end, is_complete
)

select * from final
