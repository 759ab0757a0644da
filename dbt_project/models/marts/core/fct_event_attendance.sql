-- Grain: one row per event and attendee.
with

attendance as (
    select
        *,
        case when attendee_type = 'member' then attendee_id end as member_id,
        case when attendee_type = 'dealer' then attendee_id end as dealer_id
    from {{ ref('int_current__event_attendance') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

final as (
    select
        attendance.event_id,
        attendance.attendee_type,
        attendance.attendee_id,
        attendance.event_name,
        attendance.kind,
        attendance.audience,
        attendance.organiser_id,
        attendance.event_date,
        attendance.invited_date,
        attendance.is_attended,
        attendance.scale_min,
        attendance.scale_max,
        attendance.rating,
        attendance.member_id,
        attendance.dealer_id,
        member.team,
        coalesce(dealer.region, member.region) as region,
        calendar.fiscal_month_start,
        attendance.invited_date is not null as is_invited,
        cast(
            1 + {{ exact_divide('4 * (attendance.rating - attendance.scale_min)', 'attendance.scale_max - attendance.scale_min', 8) }}
            as decimal(18, 8)
        ) as rating_of_five,
        attendance._source,
        attendance._source_file,
        attendance._delivery_id,
        attendance._row_number,
        attendance._row_part,
        attendance._received_date
    from attendance
    left join calendar on attendance.event_date = calendar.date_day
    left join member
        on
            attendance.member_id = member.member_id
            and attendance.event_date >= member.valid_from
            and attendance.event_date < member.valid_to
    left join dealer
        on
            attendance.dealer_id = dealer.dealer_id
            and attendance.event_date >= dealer.valid_from
            and attendance.event_date < dealer.valid_to
)

select * from final
