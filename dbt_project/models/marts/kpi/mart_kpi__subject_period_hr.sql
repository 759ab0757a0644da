-- Grain: one row per subject (member, dealer, team, region, company, category), fiscal period begun and KPI that only HR may read.
with

subject_period as (
    select * from {{ ref('int_kpi__subject_period') }}
),

-- Taken of reviews, which are taken of the KPIs above.
readiness as (
    select * from {{ ref('int_kpi__readiness') }}
),

final as (
    select
        subject_type,
        subject_id,
        subject_name,
        period_id,
        period_type,
        period_start,
        period_end,
        is_complete,
        kpi_code,
        kpi_name,
        numerator,
        denominator,
        value,
        unit,
        currency_code,
        rate_type,
        target_value,
        attainment_actual,
        attainment,
        previous_value,
        last_year_value,
        sample_size,
        ci_low,
        ci_high,
        ci_method,
        status,
        status_reason,
        definition_version
    from subject_period
    where audience = 'hr'

    union all

    select
        subject_type,
        subject_id,
        subject_name,
        period_id,
        period_type,
        period_start,
        period_end,
        is_complete,
        kpi_code,
        kpi_name,
        numerator,
        denominator,
        value,
        unit,
        cast(null as string) as currency_code,
        cast(null as string) as rate_type,
        cast(null as decimal(28, 8)) as target_value,
        cast(null as decimal(28, 8)) as attainment_actual,
        cast(null as decimal(28, 8)) as attainment,
        previous_value,
        last_year_value,
        sample_size,
        ci_low,
        ci_high,
        ci_method,
        status,
        status_reason,
        definition_version
    from readiness
)

select * from final
