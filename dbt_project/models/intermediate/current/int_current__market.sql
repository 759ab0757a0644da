-- Grain: one row per region, category, period and competitor.
with

market as (
    select
        *,
        {{ winner_rank(['region', 'product_category', 'period_start', 'period_end', 'competitor']) }} as winner_rank
    from {{ ref('stg_market') }}
),

final as (
    select
        region,
        product_category,
        period_start,
        period_end,
        competitor,
        amount,
        currency_code,
        quantity,
        price_index,
        data_provider,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from market
    where winner_rank = 1
)

select * from final
