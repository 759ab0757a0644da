-- Grain: one row per member and quarter due a review.
with

result as (
    select * from {{ ref('int_review__result') }}
),

potential as (
    select *
    from {{ ref('int_review__input_mean') }}
    where
        part = 'manager'
        and criterion_id = 'potential'
        and not is_hidden
),

review_rule as (
    select * from {{ source('config', 'review_rule') }}
),

nine_box as (
    select * from {{ source('config', 'nine_box') }}
),

banded as (
    select
        result.member_id,
        result.period_id,
        result.period_start,
        result.period_end,
        result.role,
        result.team,
        result.final_score as performance_score,
        cast(potential.mean_score as decimal(9, 4)) as potential_score,
        coalesce(potential.rater_count, 0) as potential_rater_count,
        case
            when result.final_score >= review_rule.performance_high_from then 3
            when result.final_score >= review_rule.performance_middle_from then 2
            when result.final_score is not null then 1
        end as performance_band,
        case
            when potential.mean_score >= review_rule.potential_high_from then 3
            when potential.mean_score >= review_rule.potential_middle_from then 2
            when potential.mean_score is not null then 1
        end as potential_band
    from result
    cross join review_rule
    left join potential
        on
            result.member_id = potential.member_id
            and result.period_id = potential.period_id
),

boxed as (
    select
        *,
        3 * (potential_band - 1) + performance_band as box
    from banded
),

final as (
    select
        boxed.member_id,
        boxed.period_id,
        boxed.period_start,
        boxed.period_end,
        boxed.role,
        boxed.team,
        boxed.performance_score,
        boxed.potential_score,
        boxed.potential_rater_count,
        boxed.performance_band,
        boxed.potential_band,
        boxed.box,
        nine_box.box_name,
        nine_box.box_name_zh,
        case when boxed.box is not null then 'placed' else 'not_placed' end as status,
        case
            when boxed.performance_band is null and boxed.potential_band is null then 'not rated, and potential not rated by a manager'
            when boxed.performance_band is null then 'not rated'
            when boxed.potential_band is null then 'potential not rated by a manager'
        end as reason,
        case
            when boxed.performance_band is null and boxed.potential_band is null then '未评级，且上级未评潜力'
            when boxed.performance_band is null then '未评级'
            when boxed.potential_band is null then '上级未评潜力'
        end as reason_zh
    from boxed
    left join nine_box on boxed.box = nine_box.box
)

select * from final
