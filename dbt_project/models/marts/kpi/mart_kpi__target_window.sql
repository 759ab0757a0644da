-- Grain: one row per target, measured on its own validity window.
with

target_window as (
    select
        *,
        -- What only HR may know of a subject is not told by its target either.
        coalesce(audience = 'hr', false) as is_for_hr
    from {{ ref('int_kpi__target_window') }}
),

final as (
    select
        target_id,
        subject_type,
        subject_id,
        metric,
        product_category,
        valid_from,
        valid_to,
        is_complete,
        target_value,
        unit,
        objective_id,
        weight_pct,
        target_value_reporting,
        target_value_compared,
        case when not is_for_hr then actual_value end as actual_value,
        currency_code,
        rate_type,
        direction,
        case when not is_for_hr then attainment end as attainment,
        case when not is_for_hr then is_reached end as is_reached,
        case when not is_for_hr then sample_size end as sample_size,
        case when is_for_hr then 'undefined' else status end as status,
        case
            when is_for_hr then metric || ' is for HR alone, in mart_kpi__subject_period_hr'
            else status_reason
        end as status_reason
    from target_window
)

select * from final
