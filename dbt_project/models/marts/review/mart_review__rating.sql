-- Grain: one row per member and quarter.
with

member_quarter as (
    select * from {{ ref('int_review__member_quarter') }}
),

scorecard as (
    select * from {{ ref('mart_review__scorecard') }}
),

rating_band as (
    select * from {{ source('config', 'rating_band') }}
),

summed as (
    select
        member_id,
        period_id,
        count(*) as criterion_count,
        count(score) as scored_count,
        cast(coalesce(sum(case when is_scored then weight_pct end), 0) as decimal(9, 4)) as scored_weight_pct,
        cast(sum(weight_pct * score) as decimal(28, 8)) as weighted_score,
        {{ ordered_list('case when not is_scored then criterion_id end', "', '", 'criterion_no') }} as left_out_criteria
    from scorecard
    group by member_id, period_id
),

-- The mean is taken over the weights that could be scored, and rounded once, so that the rating follows from the
-- score as it is shown.
averaged as (
    select
        member_quarter.member_id,
        member_quarter.period_id,
        member_quarter.period_start,
        member_quarter.period_end,
        member_quarter.role,
        member_quarter.team,
        member_quarter.template_id,
        member_quarter.template_version,
        member_quarter.template_hash,
        member_quarter.template_file,
        member_quarter.min_scored_weight_pct,
        coalesce(summed.criterion_count, 0) as criterion_count,
        coalesce(summed.scored_count, 0) as scored_count,
        coalesce(summed.scored_weight_pct, 0) as scored_weight_pct,
        summed.left_out_criteria,
        case
            when summed.scored_weight_pct > 0 and summed.scored_weight_pct >= member_quarter.min_scored_weight_pct
                then cast({{ exact_divide('summed.weighted_score', 'summed.scored_weight_pct', 2) }} as decimal(9, 2))
        end as total_score
    from member_quarter
    left join summed
        on
            member_quarter.member_id = summed.member_id
            and member_quarter.period_id = summed.period_id
),

final as (
    select
        averaged.member_id,
        averaged.period_id,
        averaged.period_start,
        averaged.period_end,
        averaged.role,
        averaged.team,
        averaged.template_id,
        averaged.template_version,
        averaged.template_hash,
        averaged.template_file,
        cast(averaged.criterion_count as bigint) as criterion_count,
        cast(averaged.scored_count as bigint) as scored_count,
        cast(averaged.scored_weight_pct as decimal(9, 4)) as scored_weight_pct,
        averaged.min_scored_weight_pct,
        averaged.left_out_criteria,
        averaged.total_score,
        rating_band.rating,
        rating_band.rating_name,
        rating_band.rating_name_zh,
        case when averaged.total_score is null then 'not_rated' else 'rated' end as status,
        case
            when averaged.template_id is null then 'there is no review template for the role'
            when averaged.total_score is null then 'too little of the weight could be scored'
        end as reason
    from averaged
    left join rating_band
        on
            averaged.template_id = rating_band.template_id
            and averaged.total_score >= rating_band.lower_score
            and (rating_band.upper_score is null or averaged.total_score < rating_band.upper_score)
)

select * from final
