-- Grain: one row per member, quarter and part of the review.
with

line as (
    select * from {{ ref('int_review__line') }}
),

decision as (
    select *
    from {{ ref('int_review__appeal') }}
    where
        left_because is null
        and criterion_id is not null
),

decided as (
    select
        line.*,
        case
            when line.part <> 'self' and line.score is not null then coalesce(decision.score_after, line.score)
            else line.score
        end as final_score
    from line
    left join decision
        on
            line.member_id = decision.member_id
            and line.period_id = decision.period_id
            and line.criterion_id = decision.criterion_id
),

summed as (
    select
        member_id,
        period_id,
        part,
        part_no,
        part_weight_pct,
        sum(case when weight_pct > 0 and part_weight_pct > 0 then 1 else 0 end) as line_count,
        sum(case when weight_pct > 0 and part_weight_pct > 0 and score is not null then 1 else 0 end) as scored_count,
        sum(weight_pct) as weight_pct,
        sum(case when score is not null then weight_pct else 0 end) as scored_pct,
        sum(case when score is not null then cast(weight_pct * score as decimal(28, 8)) end) as weighted_score,
        sum(case when score is not null then cast(weight_pct * final_score as decimal(28, 8)) end) as weighted_final_score,
        {{ ordered_list(
            "case when weight_pct > 0 and part_weight_pct > 0 and score is null then part || '.' || criterion_id end",
            "', '",
            'criterion_no',
        ) }} as missing_criteria
    from decided
    group by member_id, period_id, part, part_no, part_weight_pct
),

final as (
    select
        member_id,
        period_id,
        part,
        part_no,
        part_weight_pct,
        cast(line_count as bigint) as line_count,
        cast(scored_count as bigint) as scored_count,
        missing_criteria,
        cast({{ exact_divide('part_weight_pct * scored_pct', 'weight_pct', 4) }} as decimal(9, 4)) as scored_weight_pct,
        case
            when scored_pct > 0 then cast({{ exact_divide('weighted_score', 'scored_pct', 4) }} as decimal(9, 4))
        end as part_score,
        case
            when scored_pct > 0 then cast({{ exact_divide('weighted_final_score', 'scored_pct', 4) }} as decimal(9, 4))
        end as part_final_score
    from summed
)

select * from final
