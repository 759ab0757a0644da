-- Grain: one row per target, measured on its own validity window.
with

target_window as (
    select * from {{ ref('int_kpi__target_window') }}
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
        actual_value,
        currency_code,
        rate_type,
        attainment,
        sample_size,
        status,
        status_reason
    from target_window
)

select * from final
