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

attended as (
    select
        event_id,
        attendee_type,
        attendee_id,
        member_id,
        dealer_id,
        team,
        region,
        fiscal_month_start,
        is_invited,
        is_attended,
        rating_of_five
    from attendance
),

-- How an event was liked says something of who held it.
organised as (
    select
        event.event_id,
        attendance.attendee_type,
        attendance.attendee_id,
        event.organiser_id as member_id,
        cast(null as string) as dealer_id,
        event.organiser_team as team,
        event.organiser_region as region,
        event.fiscal_month_start,
        attendance.is_attended,
        attendance.rating_of_five
    from event
    inner join attendance on event.event_id = attendance.event_id
),

-- Knowledge is shared where it has an audience: three who came.
shared as (
    select
        event_id,
        'member' as attendee_type,
        coalesce(organiser_id, 'unknown') as attendee_id,
        organiser_id as member_id,
        cast(null as string) as dealer_id,
        organiser_team as team,
        organiser_region as region,
        fiscal_month_start
    from event
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
