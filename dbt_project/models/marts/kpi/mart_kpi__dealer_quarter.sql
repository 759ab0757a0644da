-- Grain: one row per dealer and fiscal quarter begun.
with

subject_period as (
    select * from {{ ref('mart_kpi__subject_period') }}
),

final as (
    select
        subject_id as dealer_id,
        subject_name,
        period_id,
        period_type,
        period_start,
        period_end,
        is_complete,
        max(value) filter (where kpi_code = 'net_revenue') as net_revenue,
        max(value) filter (where kpi_code = 'gross_margin_amount') as gross_margin_amount,
        max(value) filter (where kpi_code = 'gross_margin_pct') as gross_margin_pct,
        max(value) filter (where kpi_code = 'attainment_pct') as attainment_pct,
        max(value) filter (where kpi_code = 'growth_previous_pct') as growth_previous_pct,
        max(value) filter (where kpi_code = 'growth_last_year_pct') as growth_last_year_pct,
        max(value) filter (where kpi_code = 'training_completion_pct') as training_completion_pct,
        max(value) filter (where kpi_code = 'training_on_time_pct') as training_on_time_pct,
        max(value) filter (where kpi_code = 'training_hours') as training_hours,
        max(value) filter (where kpi_code = 'training_pass_pct') as training_pass_pct,
        max(value) filter (where kpi_code = 'training_score_mean') as training_score_mean,
        max(value) filter (where kpi_code = 'training_hours_product') as training_hours_product,
        max(value) filter (where kpi_code = 'training_hours_market') as training_hours_market,
        max(value) filter (where kpi_code = 'training_hours_selling') as training_hours_selling,
        max(value) filter (where kpi_code = 'training_hours_service') as training_hours_service,
        max(value) filter (where kpi_code = 'mandatory_coverage_pct') as mandatory_coverage_pct,
        max(value) filter (where kpi_code = 'training_cost_amount') as training_cost_amount,
        max(value) filter (where kpi_code = 'training_cost_per_hour_amount') as training_cost_per_hour_amount,
        max(value) filter (where kpi_code = 'dealer_staff_training_pct') as dealer_staff_training_pct,
        max(value) filter (where kpi_code = 'support_first_response_hours') as support_first_response_hours,
        max(value) filter (where kpi_code = 'support_first_response_hours_median') as support_first_response_hours_median,
        max(value) filter (where kpi_code = 'support_resolution_hours') as support_resolution_hours,
        max(value) filter (where kpi_code = 'support_resolution_hours_median') as support_resolution_hours_median,
        max(value) filter (where kpi_code = 'support_satisfaction_mean') as support_satisfaction_mean,
        max(value) filter (where kpi_code = 'first_response_hours') as first_response_hours,
        max(value) filter (where kpi_code = 'first_response_hours_median') as first_response_hours_median,
        max(value) filter (where kpi_code = 'first_response_in_time_pct') as first_response_in_time_pct,
        max(value) filter (where kpi_code = 'resolution_hours') as resolution_hours,
        max(value) filter (where kpi_code = 'resolution_hours_median') as resolution_hours_median,
        max(value) filter (where kpi_code = 'resolved_in_time_pct') as resolved_in_time_pct,
        max(value) filter (where kpi_code = 'resolution_pct') as resolution_pct,
        max(value) filter (where kpi_code = 'fcr_one_contact_pct') as fcr_one_contact_pct,
        max(value) filter (where kpi_code = 'fcr_no_reopen_pct') as fcr_no_reopen_pct,
        max(value) filter (where kpi_code = 'reopened_pct') as reopened_pct,
        max(value) filter (where kpi_code = 'case_quality_mean') as case_quality_mean,
        max(value) filter (where kpi_code = 'dispute_in_time_pct') as dispute_in_time_pct,
        max(value) filter (where kpi_code = 'cross_team_case_pct') as cross_team_case_pct,
        max(value) filter (where kpi_code = 'team_events') as team_events,
        max(value) filter (where kpi_code = 'event_attendance_pct') as event_attendance_pct,
        max(value) filter (where kpi_code = 'csat_pct') as csat_pct,
        max(value) filter (where kpi_code = 'csat_mean') as csat_mean,
        max(value) filter (where kpi_code = 'ces_mean') as ces_mean,
        max(value) filter (where kpi_code = 'dealer_needs_mean') as dealer_needs_mean,
        max(value) filter (where kpi_code = 'nps') as nps,
        max(value) filter (where kpi_code = 'survey_response_pct') as survey_response_pct
    from subject_period
    where subject_type = 'dealer' and period_type = 'quarter'
    group by subject_id, subject_name, period_id, period_type, period_start, period_end, is_complete
)

select * from final
