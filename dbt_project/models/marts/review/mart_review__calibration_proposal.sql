-- Grain: one row per member, quarter and proposal.
with

result as (
    select *
    from {{ ref('int_review__result') }}
    where total_score is not null
),

part as (
    select *
    from {{ ref('int_review__part') }}
    where
        part_weight_pct > 0
        and part_score is not null
),

input as (
    select *
    from {{ ref('int_review__input_version') }}
    where
        status = 'counted'
        and part = 'manager'
        and criterion_id <> 'potential'
),

rater as (
    select *
    from {{ ref('mart_review__rater') }}
    where
        rater_type = 'manager'
        and status in ('lenient', 'severe')
),

rating_band as (
    select * from {{ source('config', 'rating_band') }}
),

review_rule as (
    select * from {{ source('config', 'review_rule') }}
),

rated_by as (
    select
        member_id,
        period_id,
        count(distinct rater_id) as manager_count,
        max(rater_id) as rater_id
    from input
    group by member_id, period_id
),

present as (
    select
        member_id,
        period_id,
        sum(part_weight_pct) as present_pct,
        max(case when part = 'manager' then part_weight_pct end) as manager_weight_pct
    from part
    group by member_id, period_id
),

-- Where one manager alone rated, what the total would be without the distance from the other managers.
leaning as (
    select
        result.member_id,
        result.period_id,
        rater.status || '_manager' as proposal,
        rater.rater_id,
        result.template_id,
        result.total_score,
        cast(
            least(100, greatest(0, result.total_score - {{ exact_divide(
                '(result.manager_score - least(100, greatest(0, result.manager_score - rater.leniency_points)))'
                ~ ' * coalesce(present.manager_weight_pct, 0)',
                'present.present_pct',
                2,
            ) }})) as decimal(9, 2)
        ) as proposed_score,
        rater.reason,
        rater.reason_zh
    from result
    inner join rated_by
        on
            result.member_id = rated_by.member_id
            and result.period_id = rated_by.period_id
            and rated_by.manager_count = 1
    inner join rater
        on
            rated_by.rater_id = rater.rater_id
            and rated_by.period_id = rater.period_id
    inner join present
        on
            result.member_id = present.member_id
            and result.period_id = present.period_id
),

apart as (
    select
        result.member_id,
        result.period_id,
        'parts_apart' as proposal,
        case when rated_by.manager_count = 1 then rated_by.rater_id end as rater_id,
        result.template_id,
        result.total_score,
        cast(null as decimal(9, 2)) as proposed_score,
        'manager ' || cast(result.manager_score as string) || ', KPIs ' || cast(result.kpi_score as string) as reason,
        '上级评价 ' || cast(result.manager_score as string) || '，业绩指标 ' || cast(result.kpi_score as string) as reason_zh
    from result
    cross join review_rule
    left join rated_by
        on
            result.member_id = rated_by.member_id
            and result.period_id = rated_by.period_id
    where abs(result.manager_score - result.kpi_score) >= review_rule.parts_apart_points
),

-- The lowest score of a better rating that is not more than a little above the total.
edge as (
    select
        result.member_id,
        result.period_id,
        'near_edge' as proposal,
        cast(null as string) as rater_id,
        result.template_id,
        result.total_score,
        cast(min(rating_band.lower_score) as decimal(9, 2)) as proposed_score,
        cast(cast(min(rating_band.lower_score) - result.total_score as decimal(9, 2)) as string) || ' below the next rating' as reason,
        '距上一等级 ' || cast(cast(min(rating_band.lower_score) - result.total_score as decimal(9, 2)) as string) || ' 分' as reason_zh
    from result
    inner join rating_band
        on
            result.template_id = rating_band.template_id
            and result.total_score < rating_band.lower_score
    cross join review_rule
    where rating_band.lower_score - result.total_score <= review_rule.near_edge_points
    group by result.member_id, result.period_id, result.template_id, result.total_score
),

proposed as (
    {% for relation in ['leaning', 'apart', 'edge'] %}
        select
            member_id,
            period_id,
            proposal,
            rater_id,
            template_id,
            proposed_score,
            reason,
            reason_zh
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

banded as (
    select
        proposed.member_id,
        proposed.period_id,
        proposed.proposal,
        max(rating_band.rating) as rating
    from proposed
    inner join rating_band
        on
            proposed.template_id = rating_band.template_id
            and proposed.proposed_score >= rating_band.lower_score
            and (rating_band.upper_score is null or proposed.proposed_score < rating_band.upper_score)
    group by proposed.member_id, proposed.period_id, proposed.proposal
),

final as (
    select
        proposed.member_id,
        proposed.period_id,
        result.period_start,
        result.period_end,
        result.role,
        result.team,
        proposed.proposal,
        proposed.rater_id,
        result.total_score as current_score,
        proposed.proposed_score,
        result.rating as current_rating,
        banded.rating as proposed_rating,
        proposed.reason,
        proposed.reason_zh
    from proposed
    inner join result
        on
            proposed.member_id = result.member_id
            and proposed.period_id = result.period_id
    left join banded
        on
            proposed.member_id = banded.member_id
            and proposed.period_id = banded.period_id
            and proposed.proposal = banded.proposal
)

select * from final
