-- Grain: one row per request for support.
with

request as (
    select * from {{ ref('int_current__support_request') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

clocked as (
    select
        request.request_id,
        opened_day.date_day as opened_date,
        opened_day.fiscal_month_start,
        {{ local_date('request.closed_at', 'company.time_zone') }} as closed_date,
        {{ business_clock(local_time('request.opened_at', 'company.time_zone'), 'opened_day', 'company') }} as opened_clock,
        {{ business_clock(
            local_time('request.first_response_at', 'company.time_zone'), 'responded_day', 'company'
        ) }} as responded_clock,
        {{ business_clock(local_time('request.closed_at', 'company.time_zone'), 'closed_day', 'company') }} as closed_clock
    from request
    cross join company
    left join calendar as opened_day
        on {{ local_date('request.opened_at', 'company.time_zone') }} = opened_day.date_day
    left join calendar as responded_day
        on {{ local_date('request.first_response_at', 'company.time_zone') }} = responded_day.date_day
    left join calendar as closed_day
        on {{ local_date('request.closed_at', 'company.time_zone') }} = closed_day.date_day
),

final as (
    select
        request.request_id,
        request.updated_at,
        request.member_id,
        request.dealer_id,
        request.kind,
        request.assignee_id,
        member.team as assignee_team,
        clocked.opened_date,
        clocked.fiscal_month_start,
        clocked.closed_date,
        request.opened_at,
        request.first_response_at,
        request.closed_at,
        cast(case
            when request.first_response_at is not null then {{ clock_hours('clocked.opened_clock', 'clocked.responded_clock') }}
        end as decimal(28, 8)) as first_response_hours,
        cast(case
            when request.closed_at is not null then {{ clock_hours('clocked.opened_clock', 'clocked.closed_clock') }}
        end as decimal(28, 8)) as resolution_hours,
        request.scale_min,
        request.scale_max,
        request.rating,
        cast(
            1 + {{ exact_divide('4 * (request.rating - request.scale_min)', 'request.scale_max - request.scale_min', 8) }}
            as decimal(18, 8)
        ) as rating_of_five,
        request._source,
        request._source_file,
        request._delivery_id,
        request._row_number,
        request._row_part,
        request._received_date
    from request
    left join clocked on request.request_id = clocked.request_id
    left join member
        on
            request.assignee_id = member.member_id
            and clocked.opened_date >= member.valid_from
            and clocked.opened_date < member.valid_to
)

select * from final
