-- Grain: one row per survey sent, answered or not, but for those of team_pulse.
with

response as (
    select * from {{ ref('int_current__survey_response') }}
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
        response.response_id,
        response.survey,
        response.scale_min,
        response.scale_max,
        response.respondent_id,
        response.dealer_id,
        response.member_id,
        response.case_id,
        member.team as member_team,
        dealer.region as dealer_region,
        response.sent_date,
        calendar.fiscal_month_start,
        response.answered_date,
        response.score is not null as is_answered,
        response.score,
        -- The answer on a scale from 1 to 5, so that surveys on other scales can stand in one mean.
        cast(
            1 + {{ exact_divide('4 * (response.score - response.scale_min)', 'response.scale_max - response.scale_min', 8) }}
            as decimal(18, 8)
        ) as score_of_five,
        -- Top two of five: 4 or 5, which is three quarters of the way up any other scale.
        4 * (response.score - response.scale_min) >= 3 * (response.scale_max - response.scale_min) as is_top_two,
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
            response.member_id = member.member_id
            and response.sent_date >= member.valid_from
            and response.sent_date < member.valid_to
    left join dealer
        on
            response.dealer_id = dealer.dealer_id
            and response.sent_date >= dealer.valid_from
            and response.sent_date < dealer.valid_to
    -- How a team feels is for HR only, and BI reads this table.
    where response.survey <> 'team_pulse'
)

select * from final
