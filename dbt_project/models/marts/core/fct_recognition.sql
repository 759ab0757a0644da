-- Grain: one row per award to a member.
with

recognition as (
    select * from {{ ref('int_current__recognition') }}
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

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

final as (
    select
        recognition.recognition_id,
        recognition.member_id,
        recognition.award,
        recognition.awarded_date,
        recognition.given_by_id,
        recognition.value_amount,
        recognition.currency_code,
        recognition.reason,
        member.team as member_team,
        member.region as member_region,
        calendar.fiscal_month_start,
        {{ multiply('recognition.value_amount', 'day_rate.rate') }} as value_amount_reporting,
        recognition._source,
        recognition._source_file,
        recognition._delivery_id,
        recognition._row_number,
        recognition._row_part,
        recognition._received_date
    from recognition
    left join calendar on recognition.awarded_date = calendar.date_day
    left join member
        on
            recognition.member_id = member.member_id
            and recognition.awarded_date >= member.valid_from
            and recognition.awarded_date < member.valid_to
    cross join company
    left join day_rate
        on
            company.fx_rate_type = day_rate.rate_type
            and recognition.currency_code = day_rate.currency_code
            and recognition.awarded_date = day_rate.date_day
)

select * from final
