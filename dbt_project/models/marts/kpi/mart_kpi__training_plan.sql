-- Grain: one row per member in force and topic with a gap.
with

gap as (
    select * from {{ ref('int_training__gap') }}
),

member as (
    select *
    from {{ ref('dim_member') }}
    where is_current
),

training_plan as (
    select * from {{ source('config', 'training_plan') }}
),

final as (
    select
        gap.member_id,
        member.member_name,
        member.role,
        member.grade,
        member.team,
        member.manager_id,
        gap.topic,
        cast(
            case
                when gap.mandatory_overdue_count + gap.mandatory_failed_count > 0 then 1
                when gap.mandatory_open_count > 0 or gap.gap_points >= training_plan.serious_gap then 2
                else 3
            end as integer
        ) as priority,
        gap.mandatory_overdue_count,
        gap.mandatory_failed_count,
        gap.mandatory_open_count,
        gap.failed_count,
        gap.skill_level,
        gap.required_level,
        gap.gap_points,
        gap.assessed_date,
        gap.proposed_course_id,
        gap.proposed_course_name,
        gap.proposed_hours,
        gap.due_date,
        concat_ws(
            '; ',
            case when gap.mandatory_overdue_count > 0 then 'mandatory courses overdue: ' || gap.mandatory_overdue_count end,
            case when gap.mandatory_failed_count > 0 then 'mandatory courses failed: ' || gap.mandatory_failed_count end,
            case when gap.mandatory_open_count > 0 then 'mandatory courses to do: ' || gap.mandatory_open_count end,
            case when gap.failed_count > 0 then 'courses failed: ' || gap.failed_count end,
            case
                when gap.gap_points is not null
                    then
                        'skill ' || cast(round(gap.skill_level, 0) as bigint)
                        || ', wanted ' || cast(round(gap.required_level, 0) as bigint)
            end,
            case when gap.proposed_course_id is null then 'all courses of the topic are done' end
        ) as reason,
        concat_ws(
            '；',
            case when gap.mandatory_overdue_count > 0 then '必修课程逾期 ' || gap.mandatory_overdue_count || ' 门' end,
            case when gap.mandatory_failed_count > 0 then '必修课程未通过 ' || gap.mandatory_failed_count || ' 门' end,
            case when gap.mandatory_open_count > 0 then '必修课程待完成 ' || gap.mandatory_open_count || ' 门' end,
            case when gap.failed_count > 0 then '选修课程未通过 ' || gap.failed_count || ' 门' end,
            case
                when gap.gap_points is not null
                    then
                        '技能水平 ' || cast(round(gap.skill_level, 0) as bigint)
                        || '，要求 ' || cast(round(gap.required_level, 0) as bigint)
            end,
            case when gap.proposed_course_id is null then '该主题课程均已完成' end
        ) as reason_zh
    from gap
    inner join member on gap.member_id = member.member_id
    cross join training_plan
)

select * from final
