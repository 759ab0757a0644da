-- Grain: one row per sale line (transaction_id, line_no) dated inside the fiscal calendar built so far.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ delete_dirty_months() }}",
) }}

with

{% if is_incremental() %}
    dirty_month as (
        select * from {{ source('meta', 'dirty_month') }}
    ),

    -- The winner of a key is found among all of its versions, also those dated in a month that is not redone.
    dirty_key as (
        select
            version.transaction_id,
            version.line_no
        from {{ ref('stg_sales') }} as version
        inner join {{ ref('int_calendar__day') }} as calendar on version.sale_date = calendar.date_day
        inner join dirty_month on calendar.fiscal_month_start = dirty_month.month_start
        group by version.transaction_id, version.line_no
    ),
{% endif %}

sale as (
    select
        version.*,
        {{ winner_rank(['version.transaction_id', 'version.line_no']) }} as winner_rank
    from {{ ref('stg_sales') }} as version
    {% if is_incremental() %}
        inner join dirty_key
            on
                version.transaction_id = dirty_key.transaction_id
                and version.line_no = dirty_key.line_no
    {% endif %}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
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
        sale.transaction_id,
        sale.line_no,
        sale.transaction_type,
        sale.channel,
        sale.dealer_id,
        sale.product_id,
        sale.seller_id,
        sale.sale_date,
        calendar.fiscal_month_start,
        sale.quantity,
        sale.unit_price_amount,
        sale.discount_amount,
        sale.net_amount,
        sale.cost_amount,
        sale.currency_code,
        market_rate.rate as fx_rate,
        {{ multiply('sale.net_amount', 'market_rate.rate') }} as net_amount_reporting,
        {{ multiply('sale.cost_amount', 'market_rate.rate') }} as cost_amount_reporting,
        plan_rate.rate as plan_fx_rate,
        {{ multiply('sale.net_amount', 'plan_rate.rate') }} as net_amount_plan,
        case when market_rate.rate is null then 'no_rate' else 'ok' end as fx_status,
        product.category as product_category,
        dealer.region as dealer_region,
        dealer.dealer_type,
        dealer.tier as dealer_tier,
        dealer.country as dealer_country,
        sale.original_transaction_id,
        sale.original_line_no,
        sale._source,
        sale._source_file,
        sale._delivery_id,
        sale._row_number,
        sale._row_part,
        sale._received_date
    from sale
    inner join calendar on sale.sale_date = calendar.date_day
    {% if is_incremental() %}
        inner join dirty_month on calendar.fiscal_month_start = dirty_month.month_start
    {% endif %}
    cross join company
    left join day_rate as market_rate
        on
            sale.currency_code = market_rate.currency_code
            and sale.sale_date = market_rate.date_day
            and company.fx_rate_type = market_rate.rate_type
    left join day_rate as plan_rate
        on
            sale.currency_code = plan_rate.currency_code
            and sale.sale_date = plan_rate.date_day
            and company.plan_fx_rate_type = plan_rate.rate_type
    left join dealer
        on
            sale.dealer_id = dealer.dealer_id
            and sale.sale_date >= dealer.valid_from
            and sale.sale_date < dealer.valid_to
    left join product
        on
            sale.product_id = product.product_id
            and sale.sale_date >= product.valid_from
            and sale.sale_date < product.valid_to
    where
        sale.winner_rank = 1
        and sale.sale_date < {{ built_until() }}
)

select * from final
