-- Grain: one row per dealer, product and day of counting.
with

stock as (
    select
        *,
        {{ winner_rank(['dealer_id', 'product_id', 'as_of_date']) }} as winner_rank
    from {{ ref('stg_dealer_stock') }}
),

final as (
    select
        dealer_id,
        product_id,
        as_of_date,
        on_hand_quantity,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from stock
    where winner_rank = 1
)

select * from final
