-- Grain: one row per region, category, fiscal period begun and brand where the whole market is known for all of the period.
with

market as (
    select * from {{ ref('fct_market') }}
),

cell as (
    select * from {{ ref('int_sales__cell_month') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

coverage as (
    select * from {{ ref('int_kpi__sales_coverage') }}
),

-- Rows inside the period; those that fill it to the last day, each day once, stand for it.
inside as (
    select
        period.period_id,
        market.region,
        market.product_category,
        market.competitor,
        market.is_total,
        market.is_own,
        market.amount_reporting,
        market.quantity,
        market.price_index,
        market.period_start,
        market.period_end,
        -- How far rows reach that begin before, or with it and reach further.
        max(market.period_end) over (
            partition by
                period.period_id, market.region, market.product_category, market.competitor, market.is_total, market.is_own
            order by market.period_start asc nulls last, market.period_end desc nulls last
            rows between unbounded preceding and 1 preceding
        ) as reached_before,
        {{ dbt.datediff('market.period_start', 'market.period_end', 'day') }} as row_days,
        {{ dbt.datediff('period.period_start', 'period.period_end', 'day') }} as period_days
    from market
    inner join period
        on
            market.period_start >= period.period_start
            and market.period_end <= period.period_end
),

-- A row of the period itself stands for it, one of a quarter for the quarter in its year: what it was cut into gives way, as
-- it must not be added to it.
longest as (
    select
        *,
        coalesce(period_start < reached_before, false) as is_overlapping
    from inside
    where reached_before is null or period_end > reached_before
),

summed as (
    select
        period_id,
        region,
        product_category,
        competitor,
        is_total,
        is_own,
        sum(row_days) = max(period_days) and not bool_or(is_overlapping) as is_whole,
        case when count(amount_reporting) = count(*) then cast(sum(amount_reporting) as decimal(28, 8)) end as amount,
        case when count(quantity) = count(*) then cast(sum(quantity) as decimal(28, 8)) end as units,
        -- An index is weighed by the amounts it goes with.
        cast(sum({{ multiply('amount_reporting', 'price_index') }}) as decimal(28, 8)) as indexed_amount,
        cast(sum(amount_reporting) filter (where price_index is not null) as decimal(28, 8)) as weighed_amount
    from longest
    group by period_id, region, product_category, competitor, is_total, is_own
),

whole as (
    select
        period_id,
        region,
        product_category
    from summed
    where is_total and is_whole
),

sold as (
    select
        month_period.period_id,
        cell.region,
        cell.product_category,
        cast(sum(cell.net_amount) as decimal(28, 8)) as amount,
        cast(sum(cell.unit_quantity) as decimal(28, 8)) as units,
        sum(cell.no_rate_share) as no_rate_share,
        sum(cell.no_quantity_share) as no_quantity_share
    from cell
    inner join month_period on cell.fiscal_month_start = month_period.fiscal_month_start
    group by month_period.period_id, cell.region, cell.product_category
),

final as (
    select
        whole.period_id,
        whole.region,
        whole.product_category,
        summed.competitor,
        case when summed.is_total then 'total' else 'competitor' end as brand_role,
        summed.amount,
        summed.units,
        summed.indexed_amount,
        summed.weighed_amount
    from whole
    inner join summed
        on
            whole.period_id = summed.period_id
            and whole.region = summed.region
            and whole.product_category = summed.product_category
    where summed.is_whole and not summed.is_own

    union all

    -- Our own sales are those of the company and not what a panel thinks. That nothing was sold is known of periods that
    -- sales cover whole alone.
    select
        whole.period_id,
        whole.region,
        whole.product_category,
        'own' as competitor,
        'own' as brand_role,
        case when coverage.is_covered_whole and coalesce(sold.no_rate_share, 0) = 0 then coalesce(sold.amount, 0) end as amount,
        case when coverage.is_covered_whole and coalesce(sold.no_quantity_share, 0) = 0 then coalesce(sold.units, 0) end as units,
        cast(null as decimal(28, 8)) as indexed_amount,
        cast(null as decimal(28, 8)) as weighed_amount
    from whole
    left join sold
        on
            whole.period_id = sold.period_id
            and whole.region = sold.region
            and whole.product_category = sold.product_category
    left join coverage on whole.period_id = coverage.period_id
)

select * from final
