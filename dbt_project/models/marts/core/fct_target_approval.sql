-- Grain: one row per decision asked for on a target.
with

target_approval as (
    select * from {{ ref('int_current__target_approval') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

decided_calendar as (
    select * from {{ ref('int_calendar__day') }}
),

target as (
    select * from {{ ref('fct_target') }}
),

final as (
    select
        target_approval.approval_id,
        target_approval.target_id,
        target_approval.approver_id,
        target_approval.submitted_date,
        target_approval.decided_date,
        target_approval.outcome,
        target_approval.submitted_value,
        target_approval.approved_value,
        target_approval.comment,
        calendar.fiscal_month_start,
        target.subject_type,
        target.subject_id,
        target.subject_team,
        decided_calendar.fiscal_month_start as decided_month_start,
        cast(decided_calendar.working_day_no - calendar.working_day_no as bigint) as working_day_count,
        target_approval._source,
        target_approval._source_file,
        target_approval._delivery_id,
        target_approval._row_number,
        target_approval._row_part,
        target_approval._received_date
    from target_approval
    left join calendar on target_approval.submitted_date = calendar.date_day
    left join decided_calendar on target_approval.decided_date = decided_calendar.date_day
    left join target on target_approval.target_id = target.target_id
)

select * from final
