-- Grain: one row per member and complete quarter in which the member was employed for a day or more.
with

employed as (
    select * from {{ ref('int_review__member_window') }}
),

template as (
    select * from {{ source('config', 'review_template') }}
),

-- Role, team and manager are those on the member's last day in the quarter.
ranked as (
    select
        *,
        row_number() over (
            partition by member_id, period_id
            order by day_after desc nulls last, valid_from desc nulls last
        ) as rank_from_last
    from employed
),

told as (
    select
        member_id,
        period_id,
        sum(employed_days) as employed_days,
        count(distinct manager_id) as manager_count,
        count(distinct role) > 1 or count(distinct team) > 1 as is_transferred
    from employed
    group by member_id, period_id
),

final as (
    select
        ranked.member_id,
        ranked.period_id,
        ranked.period_start,
        ranked.period_end,
        ranked.member_name,
        ranked.role,
        ranked.grade,
        ranked.team,
        ranked.region,
        ranked.manager_id,
        ranked.gender,
        told.manager_count,
        ranked.hired_date,
        ranked.left_date,
        cast(told.employed_days as bigint) as employed_days,
        coalesce(ranked.hired_date >= ranked.period_start, false) as is_newcomer,
        told.is_transferred,
        template.template_id,
        template.template_version,
        template.template_hash,
        template.template_file,
        template.template_name,
        template.template_name_zh,
        template.min_scored_weight_pct
    from ranked
    inner join told
        on
            ranked.member_id = told.member_id
            and ranked.period_id = told.period_id
    left join template
        on
            ranked.role = template.role
            and ranked.period_start >= template.valid_from
            and ranked.period_start < coalesce(template.valid_to, {{ open_end() }})
    where ranked.rank_from_last = 1
)

select * from final
