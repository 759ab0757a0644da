-- Grain: one row per seller (dealer, region, company, member or team of sellers) and fiscal period begun.
with

population as (
    select * from {{ ref('int_kpi__population') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

subject_month as (
    select * from {{ ref('int_kpi__subject_month') }}
),

feed_month as (
    select *
    from {{ ref('int_kpi__feed_month') }}
    where feed = 'sales'
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
),

coverage as (
    select
        month_period.period_id,
        bool_or(coalesce(feed_month.is_covered, false)) as is_covered,
        bool_and(coalesce(feed_month.is_covered, false)) as is_covered_whole
    from month_period
    left join feed_month on month_period.fiscal_month_start = feed_month.fiscal_month_start
    group by month_period.period_id
),

summed as (
    select
        subject_month.subject_type,
        subject_month.subject_id,
        period.period_id,
        {{ sum_sales_measures('subject_month') }}
    from subject_month
    inner join period
        on
            subject_month.fiscal_month_start >= period.period_start
            and subject_month.fiscal_month_start < period.period_end
    group by subject_month.subject_type, subject_month.subject_id, period.period_id
),

final as (
    select
        population.subject_type,
        population.subject_id,
        population.period_id,
        period.previous_period_id,
        period.last_year_period_id,
        -- What was sold is known where a line says so; that nothing was is known of months covered alone.
        coverage.is_covered or coalesce(summed.line_count, 0) > 0 as is_covered,
        period.is_complete and coverage.is_covered_whole as is_covered_whole,
        {% for name in sales_measure_names() -%}
            coalesce(summed.{{ name }}, 0) as {{ name }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from population
    inner join period on population.period_id = period.period_id
    inner join coverage on population.period_id = coverage.period_id
    left join summed
        on
            population.subject_type = summed.subject_type
            and population.subject_id = summed.subject_id
            and population.period_id = summed.period_id
    where population.is_seller
)

select * from final
