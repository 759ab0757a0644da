-- Grain: one row per request for support and measure.
with

request as (
    select * from {{ ref('int_support__request') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

happened as (
    {% for event in ['opened', 'closed'] %}
        select
            '{{ event }}' as event,
            {{ event }}_date as event_date,
            request_id
        from request
        where {{ event }}_date is not null
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

-- The figure is that of the member who answers; who has left by the day of the event has none.
placed as (
    select
        happened.event,
        request.request_id,
        request.kind = 'wellbeing' as is_wellbeing,
        case when member_left.member_id is null then request.assignee_id end as member_id,
        request.dealer_id,
        case when member_left.member_id is null then member.team end as team,
        coalesce(dealer.region, case when member_left.member_id is null then member.region end) as region,
        calendar.fiscal_month_start,
        request.first_response_hours,
        request.resolution_hours,
        request.rating_of_five
    from happened
    inner join request on happened.request_id = request.request_id
    inner join calendar on happened.event_date = calendar.date_day
    left join member
        on
            request.assignee_id = member.member_id
            and happened.event_date >= member.valid_from
            and happened.event_date < member.valid_to
    left join member_left
        on
            request.assignee_id = member_left.member_id
            and happened.event_date >= member_left.left_from
            and happened.event_date < member_left.left_to
    left join dealer
        on
            request.dealer_id = dealer.dealer_id
            and happened.event_date >= dealer.valid_from
            and happened.event_date < dealer.valid_to
),

final as (
    {% for measure_code, value, event, condition in [
        ('support_opened', '1', 'opened', 'not is_wellbeing'),
        ('support_first_response_hours', 'first_response_hours', 'opened', 'not is_wellbeing and first_response_hours is not null'),
        ('support_closed', '1', 'closed', 'not is_wellbeing'),
        ('support_resolution_hours', 'resolution_hours', 'closed', 'not is_wellbeing and resolution_hours is not null'),
        ('support_rating', 'rating_of_five', 'closed', 'not is_wellbeing and rating_of_five is not null'),
        ('wellbeing_opened', '1', 'opened', 'is_wellbeing'),
        ('wellbeing_first_response_hours', 'first_response_hours', 'opened', 'is_wellbeing and first_response_hours is not null'),
        ('wellbeing_closed', '1', 'closed', 'is_wellbeing'),
        ('wellbeing_resolution_hours', 'resolution_hours', 'closed', 'is_wellbeing and resolution_hours is not null'),
        ('wellbeing_rating', 'rating_of_five', 'closed', 'is_wellbeing and rating_of_five is not null'),
    ] %}
        select
            request_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from placed
        where event = '{{ event }}' and {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
