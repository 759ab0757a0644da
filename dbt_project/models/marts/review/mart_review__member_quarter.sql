-- Grain: one row per member and complete quarter in which the member was employed for a day or more.
with

result as (
    select * from {{ ref('int_review__result') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_type = 'quarter'
),

-- Equal scores share a place, and the next one is skipped.
ranked as (
    select
        member_id,
        period_id,
        rank() over (partition by period_id, role order by final_score desc nulls last) as rank_in_role,
        count(*) over (partition by period_id, role) as ranked_in_role,
        rank() over (partition by period_id, team order by final_score desc nulls last) as rank_in_team,
        count(*) over (partition by period_id, team) as ranked_in_team
    from result
    where final_score is not null
),

final as (
    select
        result.member_id,
        result.member_name,
        result.period_id,
        result.period_start,
        result.period_end,
        result.role,
        result.team,
        result.grade,
        result.region,
        result.manager_id,
        result.manager_count,
        result.hired_date,
        result.left_date,
        result.employed_days,
        result.is_newcomer,
        result.is_transferred,
        result.template_id,
        result.template_version,
        result.template_hash,
        result.template_file,
        result.template_name,
        result.template_name_zh,
        result.kpi_score,
        result.self_score,
        result.manager_score,
        result.peers_score,
        result.dealers_score,
        result.line_count,
        result.scored_count,
        result.scored_weight_pct,
        result.min_scored_weight_pct,
        result.missing_parts,
        result.missing_parts_zh,
        result.missing_criteria,
        result.total_score,
        result.rating,
        result.rating_name,
        result.rating_name_zh,
        result.appeal_count,
        result.is_changed_on_appeal,
        result.final_score,
        result.final_rating,
        result.final_rating_name,
        result.final_rating_name_zh,
        result.final_rating_no,
        result.status,
        result.reason,
        result.reason_zh,
        cast(ranked.rank_in_role as bigint) as rank_in_role,
        ranked.ranked_in_role,
        cast(case when result.team is not null then ranked.rank_in_team end as bigint) as rank_in_team,
        case when result.team is not null then ranked.ranked_in_team end as ranked_in_team,
        period.previous_period_id,
        previous.final_score as previous_score,
        previous.final_rating as previous_rating,
        cast(result.final_score - previous.final_score as decimal(9, 2)) as change_points
    from result
    inner join period on result.period_id = period.period_id
    left join ranked
        on
            result.member_id = ranked.member_id
            and result.period_id = ranked.period_id
    left join result as previous
        on
            result.member_id = previous.member_id
            and period.previous_period_id = previous.period_id
)

select * from final
