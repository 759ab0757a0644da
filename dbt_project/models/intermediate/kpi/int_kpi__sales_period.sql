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

coverage as (
    select * from {{ ref('int_kpi__sales_coverage') }}
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
        coverage.covered_from is not null
        and period.period_start < coverage.covered_to
        and period.period_end > coverage.covered_from as is_covered,
        period.is_complete
        and coverage.covered_from is not null
        and period.period_start >= coverage.covered_from
        and period.period_end <= coverage.covered_to as is_covered_whole,
        {% for name in sales_measure_names() -%}
            coalesce(summed.{{ name }}, 0) as {{ name }}{% if not loop.last %},{% endif %}
        {% endfor %}
    from population
    inner join period on population.period_id = period.period_id
    cross join coverage
    left join summed
        on
            population.subject_type = summed.subject_type
            and population.subject_id = summed.subject_id
            and population.period_id = summed.period_id
    where population.is_seller
)

select * from final
