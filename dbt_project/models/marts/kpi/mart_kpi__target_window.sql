-- Grain: one row per target, measured on its own validity window.
with

target_window as (
    select
        *,
        -- What only HR may know of a subject is not told by its target either.
        coalesce(audience = 'hr', false) as is_for_hr
    from {{ ref('int_kpi__target_window') }}
),

subject as (
    select * from {{ ref('dim_subject') }}
),

final as (
    select
        target_window.target_id,
        target_window.subject_type,
        target_window.subject_id,
        coalesce(subject.subject_name, target_window.subject_id) as subject_name,
        target_window.metric,
        target_window.product_category,
        target_window.valid_from,
        target_window.valid_to,
        target_window.is_complete,
        target_window.target_value,
        target_window.unit,
        target_window.objective_id,
        target_window.weight_pct,
        target_window.target_value_reporting,
        target_window.target_value_compared,
        case when not target_window.is_for_hr then target_window.actual_value end as actual_value,
        target_window.currency_code,
        target_window.rate_type,
        target_window.direction,
        case when not target_window.is_for_hr then target_window.attainment end as attainment,
        case when not target_window.is_for_hr then target_window.is_reached end as is_reached,
        case when not target_window.is_for_hr then target_window.sample_size end as sample_size,
        case when target_window.is_for_hr then 'undefined' else target_window.status end as status,
        case
            when target_window.is_for_hr then target_window.metric || ' is for HR alone, in mart_kpi__subject_period_hr'
            else target_window.status_reason
        end as status_reason
    from target_window
    left join subject
        on
            target_window.subject_type = subject.subject_type
            and target_window.subject_id = subject.subject_id
)

select * from final
