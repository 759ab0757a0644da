-- Grain: one row per service case and measure.
with

service_case as (
    select * from {{ ref('fct_service_case') }}
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

-- A case counts on the day on which it was raised, is due, and was resolved: each with the team and region of that day. Who
-- has left by then has no duty any more: the dealer, region and company keep the case.
happened as (
    {% for event in ['opened', 'due', 'resolved'] %}
        select
            '{{ event }}' as event,
            {{ event }}_date as event_date,
            case_id
        from service_case
        where {{ event }}_date is not null
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

placed as (
    select
        happened.event,
        service_case.case_id,
        case when member_left.member_id is null then service_case.member_id end as member_id,
        service_case.dealer_id,
        case when member_left.member_id is null then member.team end as team,
        dealer.region,
        calendar.fiscal_month_start,
        case
            when resolved_day.fiscal_month_start > calendar.fiscal_month_start then resolved_day.fiscal_month_start
            when resolved_day.fiscal_month_start is not null then calendar.fiscal_month_start
        end as resolved_month_start,
        service_case.category,
        service_case.first_response_hours,
        service_case.resolution_hours,
        service_case.is_first_response_in_time,
        service_case.is_resolved_in_time,
        coalesce(service_case.is_cross_team, false) as is_cross_team,
        service_case.resolved_date,
        service_case.reopened_count,
        service_case.contact_count,
        service_case.quality_score
    from happened
    inner join service_case on happened.case_id = service_case.case_id
    inner join calendar on happened.event_date = calendar.date_day
    left join calendar as resolved_day on service_case.resolved_date = resolved_day.date_day
    left join member
        on
            service_case.member_id = member.member_id
            and happened.event_date >= member.valid_from
            and happened.event_date < member.valid_to
    left join member_left
        on
            service_case.member_id = member_left.member_id
            and happened.event_date >= member_left.left_from
            and happened.event_date < member_left.left_to
    left join dealer
        on
            service_case.dealer_id = dealer.dealer_id
            and happened.event_date >= dealer.valid_from
            and happened.event_date < dealer.valid_to
),

final as (
    {% for measure_code, value, known, event, condition in [
        ('case_opened', '1', 'fiscal_month_start', 'opened', 'case_id is not null'),
        ('case_resolved_of_opened', '1', 'resolved_month_start', 'opened', 'resolved_month_start is not null'),
        ('case_complaint', '1', 'fiscal_month_start', 'opened', "category = 'complaint'"),
        ('case_cross_team', '1', 'fiscal_month_start', 'opened', 'is_cross_team'),
        ('case_first_response_hours', 'first_response_hours', 'fiscal_month_start', 'opened', 'first_response_hours is not null'),
        ('case_response_due', '1', 'fiscal_month_start', 'opened', 'is_first_response_in_time is not null'),
        ('case_response_in_time', '1', 'fiscal_month_start', 'opened', 'is_first_response_in_time'),
        ('case_due', '1', 'fiscal_month_start', 'due', 'is_resolved_in_time is not null'),
        ('case_resolved_in_time', '1', 'fiscal_month_start', 'due', 'is_resolved_in_time'),
        ('dispute_due', '1', 'fiscal_month_start', 'due', "category = 'dispute' and is_resolved_in_time is not null"),
        ('dispute_resolved_in_time', '1', 'fiscal_month_start', 'due', "category = 'dispute' and is_resolved_in_time"),
        ('case_resolution_hours', 'resolution_hours', 'fiscal_month_start', 'resolved', 'resolution_hours is not null'),
        ('case_contacts_known', '1', 'fiscal_month_start', 'resolved', 'contact_count is not null'),
        ('case_one_contact', '1', 'fiscal_month_start', 'resolved', 'contact_count <= 1'),
        ('case_reopening_known', '1', 'fiscal_month_start', 'resolved', 'reopened_count is not null'),
        ('case_not_reopened', '1', 'fiscal_month_start', 'resolved', 'reopened_count = 0'),
        ('case_reopened', '1', 'fiscal_month_start', 'resolved', 'reopened_count > 0'),
        ('case_quality', 'quality_score', 'fiscal_month_start', 'resolved', 'quality_score is not null'),
    ] %}
        select
            case_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            {{ known }} as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from placed
        where event = '{{ event }}' and {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
