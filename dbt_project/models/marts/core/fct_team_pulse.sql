-- Grain: one row per survey of team_pulse sent, answered or not.
with

response as (
    select *
    from {{ ref('int_current__survey_response') }}
    where survey = 'team_pulse'
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

final as (
    select
        response.response_id,
        response.scale_min,
        response.scale_max,
        response.respondent_id,
        member.team as member_team,
        response.sent_date,
        calendar.fiscal_month_start,
        response.answered_date,
        response.score is not null as is_answered,
        response.score,
        cast(
            1 + {{ exact_divide('4 * (response.score - response.scale_min)', 'response.scale_max - response.scale_min', 8) }}
            as decimal(18, 8)
        ) as score_of_five,
        response.comment,
        response._source,
        response._source_file,
        response._delivery_id,
        response._row_number,
        response._row_part,
        response._received_date
    from response
    left join calendar on response.sent_date = calendar.date_day
    left join member
        on
            response.respondent_id = member.member_id
            and response.sent_date >= member.valid_from
            and response.sent_date < member.valid_to
)

select * from final
