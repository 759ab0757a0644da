-- Grain: one row per member and complete quarter in which the member was employed for a day or more.
with

member_quarter as (
    select * from {{ ref('int_review__member_quarter') }}
),

part as (
    select * from {{ ref('int_review__part') }}
),

rating_band as (
    select * from {{ source('config', 'rating_band') }}
),

appeal as (
    select * from {{ ref('int_review__appeal') }}
),

appealed as (
    select
        member_id,
        period_id,
        count(*) as appeal_count,
        max(case when left_because is null and criterion_id is null then score_after end) as whole_score
    from appeal
    group by member_id, period_id
),

summed as (
    select
        member_id,
        period_id,
        {% for part in ['kpi', 'self', 'manager', 'peers', 'dealers'] %}
            max(case when part = '{{ part }}' then part_score end) as {{ part }}_score,
        {% endfor %}
        sum(line_count) as line_count,
        sum(scored_count) as scored_count,
        sum(scored_weight_pct) as scored_weight_pct,
        sum(case when part_score is not null then part_weight_pct else 0 end) as present_pct,
        sum(cast(part_weight_pct * part_score as decimal(28, 8))) as weighted_score,
        sum(cast(part_weight_pct * part_final_score as decimal(28, 8))) as weighted_final_score,
        {{ ordered_list('case when part_weight_pct > 0 and part_score is null then part end', "', '", 'part_no') }} as missing_parts,
        {{ ordered_list(
            "case when part_weight_pct > 0 and part_score is null then case part when 'kpi' then '业绩指标' when 'self' then '自评'"
            ~ " when 'manager' then '上级评价' when 'peers' then '同事评价' when 'dealers' then '经销商评价' end end",
            "'、'",
            'part_no',
        ) }} as missing_parts_zh,
        {{ ordered_list('missing_criteria', "', '", 'part_no') }} as missing_criteria
    from part
    group by member_id, period_id
),

-- The parts as they are shown are averaged over those that are there, and the total is rounded once, so that the rating
-- follows from the score as it is shown.
averaged as (
    select
        member_quarter.*,
        summed.kpi_score,
        summed.self_score,
        summed.manager_score,
        summed.peers_score,
        summed.dealers_score,
        coalesce(summed.line_count, 0) as line_count,
        coalesce(summed.scored_count, 0) as scored_count,
        coalesce(summed.scored_weight_pct, 0) as scored_weight_pct,
        summed.missing_parts,
        summed.missing_parts_zh,
        summed.missing_criteria,
        coalesce(appealed.appeal_count, 0) as appeal_count,
        appealed.whole_score,
        case
            when summed.present_pct > 0 and summed.scored_weight_pct >= member_quarter.min_scored_weight_pct
                then cast({{ exact_divide('summed.weighted_score', 'summed.present_pct', 2) }} as decimal(9, 2))
        end as total_score,
        case
            when summed.present_pct > 0 and summed.scored_weight_pct >= member_quarter.min_scored_weight_pct
                then cast({{ exact_divide('summed.weighted_final_score', 'summed.present_pct', 2) }} as decimal(9, 2))
        end as reckoned_final_score
    from member_quarter
    left join summed
        on
            member_quarter.member_id = summed.member_id
            and member_quarter.period_id = summed.period_id
    left join appealed
        on
            member_quarter.member_id = appealed.member_id
            and member_quarter.period_id = appealed.period_id
),

-- Who is not rated has no score that an appeal could move.
decided as (
    select
        *,
        case when total_score is not null then coalesce(cast(whole_score as decimal(9, 2)), reckoned_final_score) end as final_score
    from averaged
),

banded as (
    select
        decided.member_id,
        decided.period_id,
        rating_band.rating,
        rating_band.rating_no,
        rating_band.rating_name,
        rating_band.rating_name_zh,
        decided.total_score >= rating_band.lower_score
        and (rating_band.upper_score is null or decided.total_score < rating_band.upper_score) as is_first,
        decided.final_score >= rating_band.lower_score
        and (rating_band.upper_score is null or decided.final_score < rating_band.upper_score) as is_final
    from decided
    inner join rating_band on decided.template_id = rating_band.template_id
    where decided.total_score is not null
),

rated as (
    select
        member_id,
        period_id,
        max(case when is_first then rating end) as rating,
        max(case when is_first then rating_name end) as rating_name,
        max(case when is_first then rating_name_zh end) as rating_name_zh,
        max(case when is_final then rating end) as final_rating,
        max(case when is_final then rating_no end) as final_rating_no,
        max(case when is_final then rating_name end) as final_rating_name,
        max(case when is_final then rating_name_zh end) as final_rating_name_zh
    from banded
    group by member_id, period_id
),

final as (
    select
        decided.member_id,
        decided.member_name,
        decided.period_id,
        decided.period_start,
        decided.period_end,
        decided.role,
        decided.team,
        decided.grade,
        decided.region,
        decided.manager_id,
        decided.manager_count,
        decided.hired_date,
        decided.left_date,
        decided.employed_days,
        decided.is_newcomer,
        decided.is_transferred,
        decided.template_id,
        decided.template_version,
        decided.template_hash,
        decided.template_file,
        decided.template_name,
        decided.template_name_zh,
        decided.kpi_score,
        decided.self_score,
        decided.manager_score,
        decided.peers_score,
        decided.dealers_score,
        cast(decided.line_count as bigint) as line_count,
        cast(decided.scored_count as bigint) as scored_count,
        cast(decided.scored_weight_pct as decimal(9, 4)) as scored_weight_pct,
        decided.min_scored_weight_pct,
        decided.missing_parts,
        decided.missing_parts_zh,
        decided.missing_criteria,
        decided.total_score,
        rated.rating,
        rated.rating_name,
        rated.rating_name_zh,
        decided.appeal_count,
        coalesce(decided.final_score <> decided.total_score, false) as is_changed_on_appeal,
        decided.final_score,
        rated.final_rating,
        rated.final_rating_name,
        rated.final_rating_name_zh,
        rated.final_rating_no,
        case when decided.total_score is null then 'not_rated' else 'rated' end as status,
        case
            when decided.template_id is null then 'there is no review template for the role'
            when decided.total_score is null then 'too little of the weight could be scored'
        end as reason,
        case
            when decided.template_id is null then '该岗位没有考核模板'
            when decided.total_score is null then '可评分的权重不足'
        end as reason_zh
    from decided
    left join rated
        on
            decided.member_id = rated.member_id
            and decided.period_id = rated.period_id
)

select * from final
