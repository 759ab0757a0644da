-- Grain: one row per product and validity window.
with

product as (
    select * from {{ ref('int_history__product') }}
),

final as (
    select
        product_id,
        valid_from,
        valid_to,
        valid_from <= {{ as_of_date() }} and valid_to > {{ as_of_date() }} as is_current,
        {{ latest_rank(['product_id']) }} = 1 as is_latest,
        product_name,
        category,
        subcategory,
        brand,
        unit,
        currency_code,
        list_price_amount,
        standard_cost_amount,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from product
)

select * from final
