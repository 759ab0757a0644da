-- Grain: one row per day, dealer, region and category that the dealer sold on to its own customers; what has none is unassigned.
with

line as (
    select * from {{ ref('fct_sale_line') }}
    where channel = 'sell_out'
),

final as (
    select
        sale_date,
        fiscal_month_start,
        dealer_id,
        coalesce(dealer_region, '{{ unassigned() }}') as region,
        coalesce(product_category, '{{ unassigned() }}') as product_category,
        count(*) as line_count,
        count(*) - count(quantity) as no_quantity_count,
        cast(coalesce(sum(quantity), 0) as decimal(28, 8)) as unit_quantity
    from line
    group by sale_date, fiscal_month_start, dealer_id, dealer_region, product_category
)

select * from final
