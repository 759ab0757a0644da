-- Grain: one row per fiscal month, dealer and region of the dealer (unassigned: none) with an invoice.
{{ by_fiscal_month() }}

with

line as (
    select * from {{ ref('fct_sale_line') }}
    where
        channel is distinct from 'sell_out'
        and transaction_type = 'invoice'
        and {{ of_this_build('dirty_month') }}
),

-- A dealer has one region on a day: days of regions and of months can be added.
final as (
    select
        fiscal_month_start,
        dealer_id,
        coalesce(dealer_region, '{{ unassigned() }}') as region,
        count(distinct sale_date) as invoice_day_count
    from line
    group by fiscal_month_start, dealer_id, dealer_region
)

select * from final
