-- Grain: one row per dealer, product and day of counting.
with

stock as (
    select * from {{ ref('int_current__dealer_stock') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

product as (
    select * from {{ ref('dim_product') }}
),

final as (
    select
        stock.dealer_id,
        stock.product_id,
        stock.as_of_date,
        calendar.fiscal_month_start,
        product.category as product_category,
        dealer.region as dealer_region,
        stock.on_hand_quantity,
        stock._source,
        stock._source_file,
        stock._delivery_id,
        stock._row_number,
        stock._row_part,
        stock._received_date
    from stock
    left join calendar on stock.as_of_date = calendar.date_day
    left join dealer
        on
            stock.dealer_id = dealer.dealer_id
            and stock.as_of_date >= dealer.valid_from
            and stock.as_of_date < dealer.valid_to
    left join product
        on
            stock.product_id = product.product_id
            and stock.as_of_date >= product.valid_from
            and stock.as_of_date < product.valid_to
)

select * from final
