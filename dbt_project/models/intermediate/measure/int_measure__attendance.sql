-- Grain: one row per event, attendee and measure; what the organiser is credited with has the organiser.
with

attendance as (
    select *
    from {{ ref('fct_event_attendance') }}
    where
        kind in ('exchange', 'training', 'team_building')
        and fiscal_month_start is not null
        and event_date <= {{ as_of_date() }}
),

event as (
    select *
    from {{ ref('dim_event') }}
    where
        kind in ('exchange', 'training', 'team_building')
        and fiscal_month_start is not null
        and event_date <= {{ as_of_date() }}
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

-- An invitation binds nobody who has left by the day of the event: the region and company keep it.
attended as (
    select
        attendance.event_id,
        attendance.attendee_type,
        attendance.attendee_id,
        case when member_left.member_id is null then attendance.member_id end as member_id,
        attendance.dealer_id,
        case when member_left.member_id is null then attendance.team end as team,
        attendance.region,
        attendance.fiscal_month_start,
        attendance.is_invited,
        attendance.is_attended
    from attendance
    left join member_left
        on
            attendance.member_id = member_left.member_id
            and attendance.event_date >= member_left.left_from
            and attendance.event_date < member_left.left_to
),

held as (
    select
        event.event_id,
        event.kind,
        event.organiser_id,
        case when member_left.member_id is null then event.organiser_id end as member_id,
        case when member_left.member_id is null then event.organiser_team end as team,
        event.organiser_region as region,
        event.fiscal_month_start,
        event.attended_count
    from event
    left join member_left
        on
            event.organiser_id = member_left.member_id
            and event.event_date >= member_left.left_from
            and event.event_date < member_left.left_to
),

-- How an event was liked says something of who held it.
organised as (
    select
        held.event_id,
        attendance.attendee_type,
        attendance.attendee_id,
        held.member_id,
        cast(null as string) as dealer_id,
        held.team,
        held.region,
        held.fiscal_month_start,
        attendance.is_attended,
        attendance.rating_of_five
    from held
    inner join attendance on held.event_id = attendance.event_id
),

-- Knowledge is shared where it has an audience: three who came.
shared as (
    select
        event_id,
        'member' as attendee_type,
        coalesce(organiser_id, 'unknown') as attendee_id,
        member_id,
        cast(null as string) as dealer_id,
        team,
        region,
        fiscal_month_start
    from held
    where kind = 'exchange' and attended_count >= 3
),

final as (
    {% for measure_code, value, relation, condition in [
        ('event_taken_part', '1', 'attended', 'is_attended'),
        ('event_invited', '1', 'attended', 'is_invited and is_attended is not null'),
        ('event_attended', '1', 'attended', 'is_invited and is_attended'),
        ('event_came', '1', 'organised', 'is_attended'),
        ('event_rating', 'rating_of_five', 'organised', 'is_attended and rating_of_five is not null'),
        ('knowledge_shared', '1', 'shared', 'event_id is not null'),
    ] %}
        select
            event_id,
            '{{ measure_code }}' as measure_code,
            attendee_type,
            attendee_id,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from {{ relation }}
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
