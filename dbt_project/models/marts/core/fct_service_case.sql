-- Grain: one row per service case.
with

service_case as (
    select * from {{ ref('int_current__service_case') }}
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

company as (
    select * from {{ source('config', 'company') }}
),

response_limit as (
    select * from {{ source('config', 'response_limit') }}
),

-- Where the calendar has ended by as_of, its last day stands for as_of: the limits of all cases in it are over by then.
as_of_day as (
    select max(calendar.date_day) as date_day
    from calendar
    cross join company
    where calendar.date_day <= {{ local_date(as_of(), 'company.time_zone') }}
),

-- Business time is counted from the calendar's start to each moment; the difference of two is what lies between.
clocked as (
    select
        service_case.case_id,
        opened_day.date_day as opened_date,
        opened_day.fiscal_month_start,
        {{ local_date('service_case.resolved_at', 'company.time_zone') }} as resolved_date,
        {{ local_date('service_case.due_at', 'company.time_zone') }} as due_date,
        {{ business_clock(local_time('service_case.opened_at', 'company.time_zone'), 'opened_day', 'company') }} as opened_clock,
        {{ business_clock(
            local_time('service_case.first_response_at', 'company.time_zone'), 'responded_day', 'company'
        ) }} as responded_clock,
        {{ business_clock(
            local_time('service_case.resolved_at', 'company.time_zone'), 'resolved_day', 'company'
        ) }} as resolved_clock,
        {{ business_clock(local_time(as_of(), 'company.time_zone'), 'as_of_calendar', 'company') }} as as_of_clock
    from service_case
    cross join company
    left join calendar as opened_day
        on {{ local_date('service_case.opened_at', 'company.time_zone') }} = opened_day.date_day
    left join calendar as responded_day
        on {{ local_date('service_case.first_response_at', 'company.time_zone') }} = responded_day.date_day
    left join calendar as resolved_day
        on {{ local_date('service_case.resolved_at', 'company.time_zone') }} = resolved_day.date_day
    cross join as_of_day
    left join calendar as as_of_calendar on as_of_day.date_day = as_of_calendar.date_day
),

timed as (
    select
        clocked.case_id,
        clocked.opened_date,
        clocked.fiscal_month_start,
        clocked.resolved_date,
        clocked.due_date,
        cast(case
            when service_case.first_response_at is not null then {{ clock_hours('clocked.opened_clock', 'clocked.responded_clock') }}
        end as decimal(28, 8)) as first_response_hours,
        cast(case
            when service_case.resolved_at is not null then {{ clock_hours('clocked.opened_clock', 'clocked.resolved_clock') }}
        end as decimal(28, 8)) as resolution_hours,
        cast({{ clock_hours('clocked.opened_clock', 'clocked.as_of_clock') }} as decimal(28, 8)) as hours_until_as_of,
        response_limit.limit_hours
    from clocked
    inner join service_case on clocked.case_id = service_case.case_id
    left join response_limit on service_case.priority = response_limit.priority
),

final as (
    select
        service_case.case_id,
        service_case.updated_at,
        service_case.dealer_id,
        service_case.member_id,
        service_case.helper_id,
        service_case.category,
        service_case.channel,
        service_case.priority,
        service_case.transaction_id,
        service_case.product_id,
        dealer.region as dealer_region,
        member.team as member_team,
        helper.team as helper_team,
        timed.opened_date,
        timed.fiscal_month_start,
        timed.due_date,
        timed.resolved_date,
        service_case.opened_at,
        service_case.due_at,
        service_case.first_response_at,
        service_case.resolved_at,
        timed.first_response_hours,
        timed.resolution_hours,
        timed.limit_hours as first_response_limit_hours,
        -- Not answered yet and still within the limit: neither in time nor late.
        case
            when timed.first_response_hours <= timed.limit_hours then true
            when timed.first_response_hours > timed.limit_hours then false
            when timed.hours_until_as_of > timed.limit_hours then false
        end as is_first_response_in_time,
        -- Before its due moment it is judged neither way: resolved early, it would count while open ones wait.
        case
            when service_case.due_at <= {{ as_of() }} then coalesce(service_case.resolved_at <= service_case.due_at, false)
        end as is_resolved_in_time,
        helper.team <> member.team as is_cross_team,
        service_case.reopened_count,
        service_case.contact_count,
        service_case.quality_score,
        service_case._source,
        service_case._source_file,
        service_case._delivery_id,
        service_case._row_number,
        service_case._row_part,
        service_case._received_date
    from service_case
    left join timed on service_case.case_id = timed.case_id
    left join member
        on
            service_case.member_id = member.member_id
            and timed.opened_date >= member.valid_from
            and timed.opened_date < member.valid_to
    left join member as helper
        on
            service_case.helper_id = helper.member_id
            and timed.opened_date >= helper.valid_from
            and timed.opened_date < helper.valid_to
    left join dealer
        on
            service_case.dealer_id = dealer.dealer_id
            and timed.opened_date >= dealer.valid_from
            and timed.opened_date < dealer.valid_to
)

select * from final
