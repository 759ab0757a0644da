-- Grain: one row per region, category, period and competitor; the whole market is one of them.
with

market as (
    select * from {{ ref('int_current__market') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

product as (
    select * from {{ ref('dim_product') }}
),

-- A panel may list our own brand among the others: it is no competitor of ours.
own_brand as (
    select lower(brand) as brand
    from product
    where brand is not null
    group by lower(brand)
),

final as (
    select
        market.region,
        market.product_category,
        market.period_start,
        market.period_end,
        market.competitor,
        lower(market.competitor) = 'total' as is_total,
        own_brand.brand is not null as is_own,
        market.amount,
        market.currency_code,
        day_rate.rate as fx_rate,
        {{ multiply('market.amount', 'day_rate.rate') }} as amount_reporting,
        market.quantity,
        market.price_index,
        market.data_provider,
        market._source,
        market._source_file,
        market._delivery_id,
        market._row_number,
        market._row_part,
        market._received_date
    from market
    cross join company
    left join day_rate
        on
            market.currency_code = day_rate.currency_code
            and market.period_start = day_rate.date_day
            and company.fx_rate_type = day_rate.rate_type
    left join own_brand on lower(market.competitor) = own_brand.brand
)

select * from final
