-- Grain: one row per member, quarter and condition of the next grade.
with

result as (
    select * from {{ ref('int_review__result') }}
),

quarter as (
    select
        period_id,
        period_end,
        row_number() over (order by period_start nulls last) as quarter_no
    from {{ ref('dim_period') }}
    where period_type = 'quarter'
),

career_grade as (
    select * from {{ source('config', 'career_grade') }}
),

career_condition as (
    select * from {{ source('config', 'career_condition') }}
),

rating_band as (
    select * from {{ source('config', 'rating_band') }}
),

months_in_grade as (
    select *
    from {{ ref('int_kpi__subject_period') }}
    where
        kpi_code = 'months_in_grade'
        and period_type = 'quarter'
        and subject_type = 'member'
        and status = 'ok'
),

skill as (
    select * from {{ ref('fct_skill_level') }}
    where topic is not null
),

record as (
    select *
    from {{ ref('int_current__training_record') }}
    where
        member_id is not null
        and completed_date is not null
        and coalesce(is_passed, true)
),

course as (
    select * from {{ ref('int_current__training_course') }}
),

asked as (
    select
        result.member_id,
        result.period_id,
        result.period_end,
        quarter.quarter_no,
        result.role,
        result.grade as from_grade,
        career_grade.next_grade as to_grade,
        career_condition.condition_no,
        career_condition.kind,
        career_condition.rating,
        career_condition.topic,
        career_condition.last_quarter_count,
        career_condition.required_value
    from result
    inner join quarter on result.period_id = quarter.period_id
    inner join career_grade
        on
            result.role = career_grade.role
            and result.grade = career_grade.grade
    inner join career_condition
        on
            career_grade.role = career_condition.role
            and career_grade.next_grade = career_condition.grade
),

-- Ratings of the last quarters, this one included, as good as the one asked for by the scale of their own template.
rated as (
    select
        result.member_id,
        quarter.quarter_no,
        result.final_rating_no,
        rating_band.rating,
        rating_band.rating_no
    from result
    inner join quarter on result.period_id = quarter.period_id
    left join rating_band on result.template_id = rating_band.template_id
),

of_ratings as (
    select
        asked.member_id,
        asked.period_id,
        asked.condition_no,
        count(case when rated.final_rating_no <= rated.rating_no then 1 end) as good_count,
        count(case when rated.final_rating_no is null then 1 end) as unknown_count
    from asked
    inner join rated
        on
            asked.member_id = rated.member_id
            and asked.rating = rated.rating
            and asked.quarter_no >= rated.quarter_no
            and asked.quarter_no < rated.quarter_no + asked.last_quarter_count
    where asked.kind = 'rating'
    group by asked.member_id, asked.period_id, asked.condition_no
),

-- A topic is as strong as its weakest skill, by the last assessment of each before the end of the quarter.
levelled as (
    select
        skill.member_id,
        quarter.period_id,
        skill.topic,
        cast(skill.level_of_hundred as decimal(18, 8)) as level,
        row_number() over (
            partition by skill.member_id, quarter.period_id, skill.skill
            order by skill.assessed_date desc nulls last, skill.assessment_id desc nulls last
        ) as row_no
    from skill
    inner join quarter on skill.assessed_date < quarter.period_end
),

of_skills as (
    select
        member_id,
        period_id,
        topic,
        min(level) as level
    from levelled
    where row_no = 1
    group by member_id, period_id, topic
),

done as (
    select distinct
        record.member_id,
        quarter.period_id,
        record.course_id,
        course.topic
    from record
    inner join quarter on record.completed_date < quarter.period_end
    left join course on record.course_id = course.course_id
),

of_courses as (
    select
        asked.member_id,
        asked.period_id,
        asked.condition_no,
        count(done.course_id) as course_count
    from asked
    inner join done
        on
            asked.member_id = done.member_id
            and asked.period_id = done.period_id
            and coalesce(asked.topic, done.topic, '') = coalesce(done.topic, '')
    where asked.kind = 'training'
    group by asked.member_id, asked.period_id, asked.condition_no
),

measured as (
    select
        asked.member_id,
        asked.period_id,
        asked.period_end,
        asked.role,
        asked.from_grade,
        asked.to_grade,
        asked.condition_no,
        asked.kind,
        asked.rating,
        asked.topic,
        asked.last_quarter_count,
        asked.required_value,
        cast(
            case asked.kind
                when 'rating' then coalesce(of_ratings.good_count, 0)
                when 'months_in_grade' then months_in_grade.value
                when 'skill' then of_skills.level
                else coalesce(of_courses.course_count, 0)
            end as decimal(18, 8)
        ) as actual_value,
        coalesce(of_ratings.unknown_count, 0) as unknown_count
    from asked
    left join of_ratings
        on
            asked.member_id = of_ratings.member_id
            and asked.period_id = of_ratings.period_id
            and asked.condition_no = of_ratings.condition_no
    left join months_in_grade
        on
            asked.member_id = months_in_grade.subject_id
            and asked.period_id = months_in_grade.period_id
    left join of_skills
        on
            asked.member_id = of_skills.member_id
            and asked.period_id = of_skills.period_id
            and asked.topic = of_skills.topic
    left join of_courses
        on
            asked.member_id = of_courses.member_id
            and asked.period_id = of_courses.period_id
            and asked.condition_no = of_courses.condition_no
),

-- A quarter in which the member was not rated might have been a good one: then nobody knows.
judged as (
    select
        *,
        case
            when actual_value >= required_value then 'met'
            when actual_value is null or actual_value + unknown_count >= required_value then 'unknown'
            else 'not_met'
        end as status
    from measured
),

-- Of the courses of a topic that is missing, a mandatory one goes first.
candidate as (
    select
        judged.member_id,
        judged.period_id,
        judged.condition_no,
        course.course_id,
        course.course_name,
        course.hours,
        row_number() over (
            partition by judged.member_id, judged.period_id, judged.condition_no
            order by case when course.is_mandatory then 0 else 1 end nulls last, course.course_id nulls last
        ) as row_no
    from judged
    inner join course on coalesce(judged.topic, course.topic, '') = coalesce(course.topic, '')
    left join done
        on
            judged.member_id = done.member_id
            and judged.period_id = done.period_id
            and course.course_id = done.course_id
    where
        judged.kind in ('skill', 'training')
        and judged.status <> 'met'
        and done.course_id is null
),

final as (
    select
        judged.member_id,
        judged.period_id,
        judged.period_end,
        judged.role,
        judged.from_grade,
        judged.to_grade,
        judged.condition_no,
        judged.kind,
        judged.rating,
        judged.topic,
        judged.last_quarter_count,
        judged.required_value,
        judged.actual_value,
        cast(case when judged.status <> 'unknown' then greatest(0, judged.required_value - judged.actual_value) end as decimal(18, 8))
            as gap,
        judged.status,
        candidate.course_id as proposed_course_id,
        candidate.course_name as proposed_course_name,
        cast(candidate.hours as decimal(9, 4)) as proposed_hours
    from judged
    left join candidate
        on
            judged.member_id = candidate.member_id
            and judged.period_id = candidate.period_id
            and judged.condition_no = candidate.condition_no
            and candidate.row_no = 1
)

select * from final
