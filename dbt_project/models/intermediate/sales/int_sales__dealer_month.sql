-- Grain: one row per fiscal month, dealer, region of the dealer and product category on the day of the sale.
{{ by_fiscal_month() }}

with

-- The brand earns by selling to dealers; what these sell on (sell_out) are the same goods once more.
line as (
    select * from {{ ref('fct_sale_line') }}
    where
        channel is distinct from 'sell_out'
        and {{ of_this_build('dirty_month') }}
),

final as (
    select
        fiscal_month_start,
        dealer_id,
        dealer_region,
        product_category,
        {{ sum_sale_lines('net_amount_reporting', 'net_amount_plan', 'cost_amount_reporting', 'cost_amount_plan') }}
    from line
    group by fiscal_month_start, dealer_id, dealer_region, product_category
)

select * from final
