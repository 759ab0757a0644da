-- Grain: one row per appeal.
with

appeal as (
    select * from {{ ref('fct_review_appeal') }}
),

judged as (
    select * from {{ ref('int_review__appeal') }}
),

result as (
    select * from {{ ref('int_review__result') }}
),

criterion as (
    select
        template_id,
        criterion_id,
        max(criterion_name) as criterion_name,
        max(criterion_name_zh) as criterion_name_zh
    from {{ source('config', 'review_criterion') }}
    group by template_id, criterion_id
),

final as (
    select
        appeal.appeal_id,
        appeal.member_id,
        appeal.period_id,
        result.role,
        result.team,
        result.manager_id,
        appeal.criterion as criterion_id,
        criterion.criterion_name,
        criterion.criterion_name_zh,
        appeal.reason,
        appeal.submitted_date,
        appeal.due_date,
        appeal.decided_date,
        appeal.decided_by_id,
        appeal.outcome,
        appeal.score_before,
        appeal.score_after,
        judged.left_because is null and result.total_score is not null as is_applied,
        result.total_score,
        result.final_score,
        result.rating,
        result.final_rating,
        {{ dbt.datediff('appeal.submitted_date', 'coalesce(appeal.decided_date, ' ~ as_of_date() ~ ')', 'day') }} as open_days,
        case
            when appeal.decided_date is null and appeal.due_date < {{ as_of_date() }} then 'overdue'
            when appeal.decided_date is null then 'open'
            when appeal.decided_date > appeal.due_date then 'decided_late'
            else 'decided'
        end as status,
        case
            when judged.left_because = 'not_due' then 'the member was not due a review in the quarter'
            when judged.left_because = 'no_score' then 'granted without a score'
            when judged.left_because = 'outside_scale' then 'the score lies outside 0 to 100'
            when judged.left_because = 'not_scored' then 'the criterion has no score that could be changed'
            when judged.left_because = 'later_decision' then 'a later decision on the same thing holds'
            when judged.left_because = 'whole_decided' then 'a decision on the rating as a whole holds'
            when judged.left_because is null and result.total_score is null then 'the member is not rated'
        end as note,
        case
            when judged.left_because = 'not_due' then '该成员本季度无需考核'
            when judged.left_because = 'no_score' then '申诉成立但未给出分数'
            when judged.left_because = 'outside_scale' then '分数不在 0 到 100 之间'
            when judged.left_because = 'not_scored' then '该项没有可更改的分数'
            when judged.left_because = 'later_decision' then '以之后的决定为准'
            when judged.left_because = 'whole_decided' then '以对整体评级的决定为准'
            when judged.left_because is null and result.total_score is null then '该成员未评级'
        end as note_zh
    from appeal
    inner join judged on appeal.appeal_id = judged.appeal_id
    left join result
        on
            appeal.member_id = result.member_id
            and appeal.period_id = result.period_id
    left join criterion
        on
            result.template_id = criterion.template_id
            and appeal.criterion = criterion.criterion_id
)

select * from final
