-- Grain: one row per seller (dealer, region, company, category, member or team of sellers) and fiscal period begun.
with

population as (
    select * from {{ ref('int_kpi__population') }}
),

period as (
    select * from {{ ref('dim_period') }}
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

sold as (
    select
        subject_type,
        subject_id,
        fiscal_month_start,
        {{ sum_sales_measures() }}
    from subject_month
    group by subject_type, subject_id, fiscal_month_start
),

summed as (
    select
        sold.subject_type,
        sold.subject_id,
        month_period.period_id,
        {{ sum_sales_measures('sold') }}
    from sold
    inner join month_period on sold.fiscal_month_start = month_period.fiscal_month_start
    group by sold.subject_type, sold.subject_id, month_period.period_id
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
        coverage.is_covered_whole,
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
    where population.is_seller or population.subject_type = 'category'
)

select * from final
