-- Grain: one row per dealer and fiscal quarter begun.
{{ by_fiscal_period('int_kpi__subject_state') }}
{%- set keys = [
    'dealer_id', 'subject_name', 'period_id', 'period_type', 'period_start', 'period_end', 'is_complete',
] %}
{%- set kpis = [
    'net_revenue', 'gross_margin_amount', 'gross_margin_pct', 'units', 'gross_sales_amount', 'discount_pct', 'returns_pct',
    'average_deal_amount', 'attainment_pct', 'target_stretch_pct', 'target_stretch_last_year_pct', 'target_to_potential_pct',
    'growth_previous_pct', 'growth_last_year_pct', 'sell_through_pct', 'sell_through_stock_pct', 'sell_through_on_hand_pct', 'stock_days',
    'collection_pct', 'overdue_amount', 'days_sales_outstanding', 'open_pipeline_amount', 'weighted_pipeline_amount', 'new_opportunities',
    'win_rate_count_pct', 'win_rate_value_pct', 'sales_cycle_days', 'sales_cycle_days_median', 'stage_age_days', 'stalled_opportunity_pct',
    'account_completeness_pct', 'account_fresh_pct', 'account_duplicate_pct', 'stage_logged_in_time_pct', 'revenue_with_opportunity_pct',
    'opportunity_with_activity_pct', 'shared_deal_pct', 'shared_deal_amount', 'roles_named_pct', 'training_completion_pct',
    'training_on_time_pct', 'training_hours', 'training_pass_pct', 'training_score_mean', 'training_hours_product', 'training_hours_market',
    'training_hours_selling', 'training_hours_service', 'mandatory_coverage_pct', 'training_cost_amount', 'training_cost_per_hour_amount',
    'dealer_staff_training_pct', 'support_first_response_hours', 'support_first_response_hours_median', 'support_resolution_hours',
    'support_resolution_hours_median', 'support_satisfaction_mean', 'message_in_time_pct', 'message_in_time_urgent_pct', 'acknowledged_pct',
    'acknowledge_hours', 'message_accuracy_pct', 'channel_fit_pct', 'dealer_reach_pct', 'market_information_in_time_pct',
    'suggestion_answered_pct', 'feedback_to_dealers_pct', 'first_response_hours', 'first_response_hours_median',
    'first_response_in_time_pct', 'resolution_hours', 'resolution_hours_median', 'resolved_in_time_pct', 'resolution_pct',
    'fcr_one_contact_pct', 'fcr_no_reopen_pct', 'reopened_pct', 'case_quality_mean', 'complaint_rate', 'dispute_in_time_pct',
    'cross_team_case_pct', 'action_done_in_time_pct', 'joint_plan_coverage_pct', 'team_events', 'event_attendance_pct', 'csat_pct',
    'csat_mean', 'ces_mean', 'dealer_needs_mean', 'nps', 'survey_response_pct',
] %}
with

listed as (
    select
        subject_id as dealer_id,
        subject_name,
        period_id,
        period_type,
        period_start,
        period_end,
        is_complete,
        kpi_code,
        value
    from {{ ref('mart_kpi__subject_period') }}
    where
        subject_type = 'dealer'
        and period_type = 'quarter'
        and {{ of_this_build('int_kpi__subject_state', 'period_id') }}
),

final as (
    {{ a_column_per_kpi('listed', keys, kpis) }}
)

select * from final
