-- Grain: one row per event.
with

-- Each row of an attendance list names the event; where rows differ, the one received last does.
attendance as (
    select
        *,
        row_number() over (
            partition by event_id
            order by
                _received_date desc nulls last, _delivery_id desc nulls last, _row_number asc nulls last,
                attendee_type asc nulls last, attendee_id asc nulls last
        ) as header_rank
    from {{ ref('int_current__event_attendance') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

counted as (
    select
        event_id,
        count(*) filter (where invited_date is not null) as invited_count,
        count(*) filter (where is_attended) as attended_count
    from attendance
    group by event_id
),

final as (
    select
        attendance.event_id,
        attendance.event_name,
        attendance.kind,
        attendance.audience,
        attendance.organiser_id,
        member.team as organiser_team,
        member.region as organiser_region,
        attendance.event_date,
        calendar.fiscal_month_start,
        counted.invited_count,
        counted.attended_count
    from attendance
    inner join counted on attendance.event_id = counted.event_id
    left join calendar on attendance.event_date = calendar.date_day
    left join member
        on
            attendance.organiser_id = member.member_id
            and attendance.event_date >= member.valid_from
            and attendance.event_date < member.valid_to
    where attendance.header_rank = 1
)

select * from final
