-- Grain: one row per member in force and topic with a gap.
with

member as (
    select *
    from {{ ref('dim_member') }}
    where is_current
),

record as (
    select *
    from {{ ref('int_current__training_record') }}
    where member_id is not null
),

course as (
    select * from {{ ref('int_current__training_course') }}
),

skill as (
    select * from {{ ref('fct_skill_level') }}
),

required as (
    select * from {{ source('config', 'required_skill') }}
),

-- A course is behind its member when any record of it was passed, or was completed and had no test.
ranked_record as (
    select
        record.member_id,
        record.course_id,
        course.topic,
        course.is_mandatory,
        record.due_date,
        record.completed_date is not null and coalesce(record.is_passed, true) as is_done,
        record.completed_date is not null and not coalesce(record.is_passed, true) as is_failed,
        row_number() over (
            partition by record.member_id, record.course_id
            order by record.assigned_date desc nulls last, record.record_id desc nulls last
        ) as row_no,
        bool_or(record.completed_date is not null and coalesce(record.is_passed, true)) over (
            partition by record.member_id, record.course_id
        ) as is_ever_done
    from record
    inner join course on record.course_id = course.course_id
),

course_gap as (
    select
        member_id,
        topic,
        count(*) filter (where is_mandatory and is_failed) as mandatory_failed_count,
        count(*) filter (where is_mandatory and not is_failed and due_date < {{ as_of_date() }}) as mandatory_overdue_count,
        count(*) filter (where is_mandatory and not is_failed and due_date >= {{ as_of_date() }}) as mandatory_open_count,
        count(*) filter (where not is_mandatory and is_failed) as failed_count
    from ranked_record
    where
        row_no = 1
        and not is_ever_done
        and (is_mandatory or is_failed)
    group by member_id, topic
),

-- The level of a skill holds until its next assessment.
levelled as (
    select
        member_id,
        topic,
        assessed_date,
        cast(level_of_hundred as decimal(9, 4)) as level,
        row_number() over (
            partition by member_id, skill
            order by assessed_date desc nulls last, assessment_id desc nulls last
        ) as row_no
    from skill
    where
        topic is not null
        and assessed_date <= {{ as_of_date() }}
),

-- A topic is as strong as its weakest skill.
skill_level as (
    select
        member_id,
        topic,
        min(level) as skill_level,
        max(assessed_date) as assessed_date
    from levelled
    where row_no = 1
    group by member_id, topic
),

-- What the grade asks for goes before what the role asks for.
required_level as (
    select
        member.member_id,
        required.topic,
        coalesce(max(required.required_level) filter (where required.grade is not null), max(required.required_level))
            as required_level
    from member
    inner join required
        on
            member.role = required.role
            and (required.grade is null or member.grade = required.grade)
    group by member.member_id, required.topic
),

-- Who was not assessed has no level and no gap: nobody knows.
skill_gap as (
    select
        required_level.member_id,
        required_level.topic,
        skill_level.skill_level,
        skill_level.assessed_date,
        required_level.required_level,
        required_level.required_level - skill_level.skill_level as gap_points
    from required_level
    inner join skill_level
        on
            required_level.member_id = skill_level.member_id
            and required_level.topic = skill_level.topic
    where skill_level.skill_level < required_level.required_level
),

topic as (
    select
        member_id,
        topic
    from course_gap

    union

    select
        member_id,
        topic
    from skill_gap
),

-- A mandatory course goes first, the one due earliest before others; then a failed one, then any not yet done.
candidate as (
    select
        topic.member_id,
        topic.topic,
        course.course_id,
        course.course_name,
        course.hours,
        case when ranked_record.is_mandatory then ranked_record.due_date end as due_date,
        row_number() over (
            partition by topic.member_id, topic.topic
            order by
                case
                    when ranked_record.is_mandatory then 1
                    when ranked_record.is_failed then 2
                    when course.is_mandatory then 3
                    else 4
                end nulls last,
                ranked_record.due_date nulls last,
                course.course_id nulls last
        ) as row_no
    from topic
    inner join course on topic.topic = course.topic
    left join ranked_record
        on
            topic.member_id = ranked_record.member_id
            and course.course_id = ranked_record.course_id
            and ranked_record.row_no = 1
    where not coalesce(ranked_record.is_ever_done, false)
),

final as (
    select
        topic.member_id,
        topic.topic,
        coalesce(course_gap.mandatory_failed_count, 0) as mandatory_failed_count,
        coalesce(course_gap.mandatory_overdue_count, 0) as mandatory_overdue_count,
        coalesce(course_gap.mandatory_open_count, 0) as mandatory_open_count,
        coalesce(course_gap.failed_count, 0) as failed_count,
        skill_gap.skill_level,
        skill_gap.required_level,
        cast(skill_gap.gap_points as decimal(9, 4)) as gap_points,
        skill_gap.assessed_date,
        candidate.course_id as proposed_course_id,
        candidate.course_name as proposed_course_name,
        candidate.hours as proposed_hours,
        candidate.due_date
    from topic
    inner join member on topic.member_id = member.member_id
    left join course_gap
        on
            topic.member_id = course_gap.member_id
            and topic.topic = course_gap.topic
    left join skill_gap
        on
            topic.member_id = skill_gap.member_id
            and topic.topic = skill_gap.topic
    left join candidate
        on
            topic.member_id = candidate.member_id
            and topic.topic = candidate.topic
            and candidate.row_no = 1
)

select * from final
