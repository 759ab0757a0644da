-- Grain: one row per subject with a market (region, company, dealer or member with a territory) and fiscal period that it is known of.
with

market as (
    select *
    from {{ ref('fct_market') }}
    where is_total
),

territory as (
    select * from {{ ref('bridge_territory') }}
),

period as (
    select
        *,
        row_number() over (partition by period_type order by period_start nulls last) as period_no
    from {{ ref('dim_period') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
),

subject_month as (
    select * from {{ ref('int_kpi__subject_month') }}
),

coverage as (
    select * from {{ ref('int_kpi__sales_coverage') }}
),

-- The whole market of a region and category, where its period is one of the company's.
market_total as (
    select
        market.region,
        market.product_category,
        period.period_id,
        period.period_start,
        market.amount_reporting as amount
    from market
    inner join period
        on
            market.period_start = period.period_start
            and market.period_end = period.period_end
),

-- A region has its own market, the company all of them, dealers and members those of their territories on the first day.
subject_region as (
    select
        'region' as subject_type,
        region as subject_id,
        period_id,
        region
    from market_total
    group by region, period_id

    union all

    select
        'company' as subject_type,
        'company' as subject_id,
        period_id,
        region
    from market_total
    group by region, period_id

    union all

    select
        territory.subject_type,
        territory.subject_id,
        market_total.period_id,
        territory.region
    from territory
    inner join market_total
        on
            territory.region = market_total.region
            and territory.valid_from <= market_total.period_start
            and territory.valid_to > market_total.period_start
    group by territory.subject_type, territory.subject_id, market_total.period_id, territory.region
),

subject_market as (
    select
        subject_region.subject_type,
        subject_region.subject_id,
        subject_region.period_id,
        market_total.product_category,
        sum(market_total.amount) as market_amount,
        count(*) - count(market_total.amount) as unknown_count
    from subject_region
    inner join market_total
        on
            subject_region.region = market_total.region
            and subject_region.period_id = market_total.period_id
    group by
        subject_region.subject_type, subject_region.subject_id, subject_region.period_id, market_total.product_category
),

own as (
    select
        subject_month.subject_type,
        subject_month.subject_id,
        month_period.period_id,
        subject_month.product_category,
        sum(subject_month.net_amount_reporting) as net_amount,
        sum(subject_month.no_rate_line_count) as no_rate_line_count
    from subject_month
    inner join month_period on subject_month.fiscal_month_start = month_period.fiscal_month_start
    group by
        subject_month.subject_type, subject_month.subject_id, month_period.period_id, subject_month.product_category
),

-- Own sales of the categories whose market is known: like stands against like.
summed as (
    select
        subject_market.subject_type,
        subject_market.subject_id,
        subject_market.period_id,
        case when sum(subject_market.unknown_count) = 0 then cast(sum(subject_market.market_amount) as decimal(28, 8)) end
            as market_amount,
        case
            when coalesce(sum(own.no_rate_line_count), 0) = 0
                then cast(coalesce(sum(own.net_amount), 0) as decimal(28, 8))
        end as own_amount
    from subject_market
    left join own
        on
            subject_market.subject_type = own.subject_type
            and subject_market.subject_id = own.subject_id
            and subject_market.period_id = own.period_id
            and subject_market.product_category = own.product_category
    group by subject_market.subject_type, subject_market.subject_id, subject_market.period_id
),

shared as (
    select
        summed.subject_type,
        summed.subject_id,
        summed.period_id,
        period.period_type,
        period.period_no,
        summed.market_amount,
        case
            when
                summed.market_amount > 0
                and coverage.is_covered_whole
                then cast({{ exact_divide('summed.own_amount', 'summed.market_amount', 8) }} as decimal(18, 8))
        end as own_share
    from summed
    inner join period on summed.period_id = period.period_id
    left join coverage on summed.period_id = coverage.period_id
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        market_amount,
        own_share,
        max(own_share) over (
            partition by subject_type, subject_id, period_type
            order by period_no nulls last
            range between 4 preceding and 1 preceding
        ) as best_share
    from shared
)

select * from final
