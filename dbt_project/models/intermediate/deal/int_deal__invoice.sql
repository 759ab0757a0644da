-- Grain: one row per invoice and fiscal month of its lines.
{{ by_fiscal_month() }}

with

line as (
    select * from {{ ref('fct_sale_line') }}
    where
        transaction_type = 'invoice'
        and channel is distinct from 'sell_out'
        and {{ of_this_build('dirty_month') }}
),

final as (
    select
        transaction_id,
        min(dealer_id) as dealer_id,
        min(dealer_region) as dealer_region,
        min(sale_date) as sale_date,
        case
            when count(*) = count(net_amount_reporting) then cast(sum(net_amount_reporting) as decimal(28, 8))
        end as net_amount_reporting,
        fiscal_month_start
    from line
    group by transaction_id, fiscal_month_start
)

select * from final
