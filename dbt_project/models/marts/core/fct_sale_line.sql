-- Grain: one row per sale line (transaction_id, line_no) dated inside the fiscal calendar built so far.
{{ by_fiscal_month() }}

with

line as (
    select * from {{ ref('int_current__sale_line') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

product as (
    select * from {{ ref('dim_product') }}
),

final as (
    select
        line.transaction_id,
        line.line_no,
        line.transaction_type,
        line.channel,
        line.dealer_id,
        line.product_id,
        line.seller_id,
        line.sale_date,
        line.due_date,
        line.fiscal_month_start,
        line.quantity,
        line.unit_price_amount,
        line.discount_amount,
        line.net_amount,
        line.cost_amount,
        line.currency_code,
        market_rate.rate as fx_rate,
        {{ multiply('line.net_amount', 'market_rate.rate') }} as net_amount_reporting,
        {{ multiply('line.cost_amount', 'market_rate.rate') }} as cost_amount_reporting,
        plan_rate.rate as plan_fx_rate,
        {{ multiply('line.net_amount', 'plan_rate.rate') }} as net_amount_plan,
        {{ multiply('line.cost_amount', 'plan_rate.rate') }} as cost_amount_plan,
        case when market_rate.rate is null then 'no_rate' else 'ok' end as fx_status,
        product.category as product_category,
        product.subcategory as product_subcategory,
        product.brand as product_brand,
        dealer.region as dealer_region,
        dealer.dealer_type,
        dealer.tier as dealer_tier,
        dealer.country as dealer_country,
        line.original_transaction_id,
        line.original_line_no,
        line._source,
        line._source_file,
        line._delivery_id,
        line._row_number,
        line._row_part,
        line._received_date
    from line
    cross join company
    left join day_rate as market_rate
        on
            line.currency_code = market_rate.currency_code
            and line.sale_date = market_rate.date_day
            and company.fx_rate_type = market_rate.rate_type
    left join day_rate as plan_rate
        on
            line.currency_code = plan_rate.currency_code
            and line.sale_date = plan_rate.date_day
            and company.plan_fx_rate_type = plan_rate.rate_type
    left join dealer
        on
            line.dealer_id = dealer.dealer_id
            and line.sale_date >= dealer.valid_from
            and line.sale_date < dealer.valid_to
    left join product
        on
            line.product_id = product.product_id
            and line.sale_date >= product.valid_from
            and line.sale_date < product.valid_to
)

select * from final
