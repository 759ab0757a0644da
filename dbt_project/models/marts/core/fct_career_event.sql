-- Grain: one row per promotion or other change of a member.
with

event as (
    select * from {{ ref('int_current__career_event') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

final as (
    select
        event.career_event_id,
        event.member_id,
        event.kind,
        event.from_grade,
        event.to_grade,
        event.from_role,
        event.to_role,
        event.decided_date,
        event.effective_date,
        event.decided_by_id,
        event.reason,
        member.team as member_team,
        member.region as member_region,
        calendar.fiscal_month_start,
        event._source,
        event._source_file,
        event._delivery_id,
        event._row_number,
        event._row_part,
        event._received_date
    from event
    left join calendar on event.effective_date = calendar.date_day
    left join member
        on
            event.member_id = member.member_id
            and event.effective_date >= member.valid_from
            and event.effective_date < member.valid_to
)

select * from final
