-- Grain: one row per fiscal period begun.
with

feed_month as (
    select *
    from {{ ref('int_kpi__feed_month') }}
    where feed = 'sales'
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

month_numbered as (
    select
        fiscal_month.month_start,
        coalesce(feed_month.is_covered, false) as is_covered,
        row_number() over (order by fiscal_month.month_start nulls last) as month_no
    from fiscal_month
    left join feed_month on fiscal_month.month_start = feed_month.fiscal_month_start
),

month_counted as (
    select
        month_start,
        is_covered,
        month_no - 1 - coalesce(max(case when not is_covered then month_no end) over (
            order by month_no nulls last
            rows between unbounded preceding and 1 preceding
        ), 0) as covered_months_before
    from month_numbered
),

covered as (
    select
        month_period.period_id,
        bool_or(month_counted.is_covered) as is_covered,
        bool_and(month_counted.is_covered) as is_covered_whole
    from month_period
    inner join month_counted on month_period.fiscal_month_start = month_counted.month_start
    group by month_period.period_id
),

final as (
    select
        covered.period_id,
        period.period_type,
        period.period_start,
        covered.is_covered,
        period.is_complete and covered.is_covered_whole as is_covered_whole,
        cast(month_counted.covered_months_before as bigint) as covered_months_before
    from covered
    inner join period on covered.period_id = period.period_id
    inner join month_counted on period.period_start = month_counted.month_start
)

select * from final
