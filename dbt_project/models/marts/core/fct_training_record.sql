-- Grain: one row per assignment of a training course to a person.
with

record as (
    select * from {{ ref('int_current__training_record') }}
),

course as (
    select * from {{ ref('int_current__training_course') }}
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

final as (
    select
        record.record_id,
        record.updated_at,
        record.course_id,
        course.course_name,
        course.topic,
        course.is_mandatory,
        course.hours,
        record.member_id,
        record.dealer_id,
        member.team as member_team,
        coalesce(dealer.region, member.region) as region,
        record.assigned_date,
        record.due_date,
        calendar.fiscal_month_start,
        -- What is due on a day that was not seen to its end is not due yet. Who has left has no duty any more.
        coalesce(record.due_date < {{ received_until() }}, false) and member_left.member_id is null as is_due,
        record.started_date,
        record.completed_date,
        record.completed_date is not null as is_completed,
        record.score,
        record.is_passed,
        record.cost_amount,
        record.currency_code,
        record._source,
        record._source_file,
        record._delivery_id,
        record._row_number,
        record._row_part,
        record._received_date
    from record
    left join course on record.course_id = course.course_id
    left join calendar on record.due_date = calendar.date_day
    left join member
        on
            record.member_id = member.member_id
            and record.due_date >= member.valid_from
            and record.due_date < member.valid_to
    left join member_left
        on
            record.member_id = member_left.member_id
            and record.due_date >= member_left.left_from
            and record.due_date < member_left.left_to
    left join dealer
        on
            record.dealer_id = dealer.dealer_id
            and record.due_date >= dealer.valid_from
            and record.due_date < dealer.valid_to
)

select * from final
