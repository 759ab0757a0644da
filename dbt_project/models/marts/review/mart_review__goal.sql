-- Grain: one row per goal.
with

goal as (
    select * from {{ ref('int_review__goal') }}
),

final as (
    select
        goal_id,
        member_id,
        period_id,
        parent_goal_id,
        criterion_id,
        goal_title,
        status,
        cast(depth as integer) as depth,
        child_count,
        leaf_count,
        stated_progress_pct,
        progress_pct,
        is_counted,
        case left_out
            when 'archived' then 'archived'
            when 'archived_above' then 'a goal above it is archived'
            when 'circle' then 'the goals above it run in a circle, or are more than seven'
        end as reason,
        case left_out
            when 'archived' then '已归档'
            when 'archived_above' then '上级目标已归档'
            when 'circle' then '上级目标循环引用或层级过多'
        end as reason_zh
    from goal
)

select * from final
