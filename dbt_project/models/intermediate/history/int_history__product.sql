-- Grain: one row per product and validity window.
with

product as (
    select
        *,
        {{ winner_rank(['product_id', 'valid_from'], dated=true) }} as winner_rank
    from {{ ref('stg_products') }}
),

-- A row whose end is not after its start never held: it must not cut the window before it.
validity as (
    select
        product_id,
        valid_from,
        {{ window_end(['product_id']) }} as valid_to
    from product
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
),

final as (
    select
        product.product_id,
        validity.valid_from,
        validity.valid_to,
        product.product_name,
        product.category,
        product.subcategory,
        product.brand,
        product.unit,
        product.currency_code,
        product.list_price_amount,
        product.standard_cost_amount,
        product._source,
        product._source_file,
        product._delivery_id,
        product._row_number,
        product._row_part,
        product._received_date
    from product
    inner join validity
        on
            product.product_id = validity.product_id
            and product.valid_from = validity.valid_from
    where product.winner_rank = 1
)

select * from final
