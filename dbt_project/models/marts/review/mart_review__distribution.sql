-- Grain: one row per quarter, scope (company, role, team) and rating.
with

result as (
    select *
    from {{ ref('int_review__result') }}
    where final_rating is not null
),

rating_band as (
    select
        rating,
        min(rating_no) as rating_no,
        max(rating_name) as rating_name,
        max(rating_name_zh) as rating_name_zh
    from {{ source('config', 'rating_band') }}
    group by rating
),

guideline as (
    select * from {{ source('config', 'rating_guideline') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

placed as (
    {% for scope_type, scope_id in [('company', "'company'"), ('role', 'role'), ('team', 'team')] %}
        select
            period_id,
            period_start,
            '{{ scope_type }}' as scope_type,
            {{ scope_id }} as scope_id,
            final_rating
        from result
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

scope as (
    select
        period_id,
        period_start,
        scope_type,
        scope_id,
        count(*) as rated_count
    from placed
    where scope_id is not null
    group by period_id, period_start, scope_type, scope_id
),

counted as (
    select
        period_id,
        scope_type,
        scope_id,
        final_rating,
        count(*) as member_count
    from placed
    group by period_id, scope_type, scope_id, final_rating
),

shared as (
    select
        scope.period_id,
        scope.period_start,
        scope.scope_type,
        scope.scope_id,
        rating_band.rating,
        rating_band.rating_no,
        rating_band.rating_name,
        rating_band.rating_name_zh,
        coalesce(counted.member_count, 0) as member_count,
        scope.rated_count,
        guideline.guideline_share
    from scope
    cross join rating_band
    left join counted
        on
            scope.period_id = counted.period_id
            and scope.scope_type = counted.scope_type
            and scope.scope_id = counted.scope_id
            and rating_band.rating = counted.final_rating
    left join guideline on rating_band.rating = guideline.rating
),

bounded as (
    select
        *,
        cast({{ exact_divide('member_count', 'rated_count', 8) }} as decimal(18, 8)) as share,
        {{ wilson_bound('member_count', 'rated_count', 'low') }} as ci_low,
        {{ wilson_bound('member_count', 'rated_count', 'high') }} as ci_high
    from shared
),

final as (
    select
        bounded.period_id,
        bounded.period_start,
        bounded.scope_type,
        bounded.scope_id,
        bounded.rating,
        cast(bounded.rating_no as integer) as rating_no,
        bounded.rating_name,
        bounded.rating_name_zh,
        bounded.member_count,
        bounded.rated_count,
        bounded.share,
        bounded.ci_low,
        bounded.ci_high,
        bounded.guideline_share,
        cast(100 * (bounded.share - bounded.guideline_share) as decimal(18, 8)) as difference_points,
        case
            when bounded.rated_count >= company.min_group_size
                then bounded.guideline_share < bounded.ci_low or bounded.guideline_share > bounded.ci_high
        end as is_outside,
        bounded.rated_count < company.min_group_size as is_small
    from bounded
    cross join company
)

select * from final
