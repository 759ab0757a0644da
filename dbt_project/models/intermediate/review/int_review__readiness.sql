-- Grain: one row per member and quarter due a review.
with

result as (
    select * from {{ ref('int_review__result') }}
),

career_grade as (
    select * from {{ source('config', 'career_grade') }}
),

condition as (
    select * from {{ ref('int_review__career_condition') }}
),

counted as (
    select
        member_id,
        period_id,
        count(*) as condition_count,
        count(case when status = 'met' then 1 end) as met_count,
        count(case when status = 'unknown' then 1 end) as unknown_count
    from condition
    group by member_id, period_id
),

final as (
    select
        result.member_id,
        result.period_id,
        result.period_start,
        result.period_end,
        result.role,
        result.team,
        result.region,
        result.grade,
        career_grade.next_grade,
        coalesce(counted.condition_count, 0) as condition_count,
        coalesce(counted.met_count, 0) as met_count,
        coalesce(counted.unknown_count, 0) as unknown_count,
        case
            when career_grade.grade is null then 'no_ladder'
            when career_grade.next_grade is null then 'top_grade'
            when counted.met_count = counted.condition_count then 'ready'
            when counted.met_count + counted.unknown_count = counted.condition_count then 'unknown'
            else 'not_ready'
        end as status
    from result
    left join career_grade
        on
            result.role = career_grade.role
            and result.grade = career_grade.grade
    left join counted
        on
            result.member_id = counted.member_id
            and result.period_id = counted.period_id
)

select * from final
