-- Grain: one row per subject (member, dealer, team, region, company, category), fiscal period begun and KPI.
{{ by_fiscal_period('int_kpi__subject_state') }}
with

subject_period as (
    select * from {{ ref('int_kpi__subject_period') }}
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
    where
        audience = 'bi'
        and {{ of_this_build('int_kpi__subject_state', 'period_id') }}
)

select * from final
