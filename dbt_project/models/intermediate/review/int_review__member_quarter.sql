-- Grain: one row per member and complete quarter in which the member was employed for a day or more.
with

member as (
    select * from {{ ref('dim_member') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where
        period_type = 'quarter'
        and is_complete
),

template as (
    select * from {{ source('config', 'review_template') }}
),

employed as (
    select
        member.member_id,
        period.period_id,
        period.period_start,
        period.period_end,
        member.role,
        member.team,
        member.valid_from,
        least(member.valid_to, member.left_date, period.period_end) as last_day_end
    from member
    inner join period
        on
            member.valid_from < period.period_end
            and member.valid_to > period.period_start
    where
        greatest(member.valid_from, member.hired_date, period.period_start)
        < least(member.valid_to, member.left_date, period.period_end)
),

-- Role and team are those on the member's last day in the quarter.
ranked as (
    select
        *,
        row_number() over (
            partition by member_id, period_id
            order by last_day_end desc nulls last, valid_from desc nulls last
        ) as rank_from_last
    from employed
),

final as (
    select
        ranked.member_id,
        ranked.period_id,
        ranked.period_start,
        ranked.period_end,
        ranked.role,
        ranked.team,
        template.template_id,
        template.template_version,
        template.template_hash,
        template.template_file,
        template.min_scored_weight_pct
    from ranked
    left join template
        on
            ranked.role = template.role
            and ranked.period_start >= template.valid_from
            and ranked.period_start < coalesce(template.valid_to, {{ open_end() }})
    where ranked.rank_from_last = 1
)

select * from final
