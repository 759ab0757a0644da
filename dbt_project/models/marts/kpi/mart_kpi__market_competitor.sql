-- Grain: one row per region, category, fiscal period begun and brand, our own among them.
with

market_period as (
    select * from {{ ref('int_sales__market_period') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

total as (
    select *
    from market_period
    where brand_role = 'total'
),

ranked as (
    select
        market_period.region,
        market_period.product_category,
        market_period.period_id,
        market_period.competitor,
        market_period.brand_role,
        market_period.amount,
        market_period.units,
        market_period.indexed_amount,
        market_period.weighed_amount,
        total.amount as total_amount,
        total.units as total_units,
        case
            when market_period.amount is not null
                then rank() over (
                    partition by market_period.region, market_period.product_category, market_period.period_id
                    order by market_period.amount desc nulls last
                )
        end as amount_rank
    from market_period
    inner join total
        on
            market_period.region = total.region
            and market_period.product_category = total.product_category
            and market_period.period_id = total.period_id
    where market_period.brand_role <> 'total'
),

final as (
    select
        ranked.region,
        ranked.product_category,
        ranked.period_id,
        period.period_type,
        period.period_start,
        period.period_end,
        period.is_complete,
        ranked.competitor,
        ranked.brand_role = 'own' as is_own,
        ranked.amount,
        company.reporting_currency_code as currency_code,
        ranked.units,
        ranked.total_amount as market_amount,
        ranked.total_units as market_units,
        case
            when ranked.total_amount > 0
                then cast({{ exact_divide('ranked.amount', 'ranked.total_amount', 8) }} as decimal(28, 8))
        end as amount_share,
        case
            when ranked.total_units > 0
                then cast({{ exact_divide('ranked.units', 'ranked.total_units', 8) }} as decimal(28, 8))
        end as units_share,
        cast(ranked.amount_rank as bigint) as amount_rank,
        case
            when ranked.brand_role = 'own' then cast(100 as decimal(28, 8))
            when ranked.weighed_amount > 0
                then cast({{ exact_divide('ranked.indexed_amount', 'ranked.weighed_amount', 8) }} as decimal(28, 8))
        end as price_index
    from ranked
    inner join period on ranked.period_id = period.period_id
    cross join company
)

select * from final
