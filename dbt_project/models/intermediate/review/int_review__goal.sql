-- Grain: one row per goal.
{%- set depths = 8 %}
with

record as (
    select
        *,
        {{ winner_rank(['goal_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_review_goals') }}
),

-- A goal that is done and says no progress is done whole; of others nobody knows.
goal as (
    select
        goal_id,
        member_id,
        period_id,
        parent_goal_id,
        criterion,
        goal_title,
        status,
        coalesce(progress_pct, case when status = 'done' then cast(100 as decimal(9, 4)) end) as progress_pct
    from record
    where winner_rank = 1
),

-- A goal above that is not known, or of another quarter, leaves the goal at the top.
placed as (
    select
        goal.goal_id,
        goal.member_id,
        goal.period_id,
        parent.goal_id as parent_goal_id,
        parent.member_id as parent_member_id,
        goal.criterion,
        goal.goal_title,
        goal.status,
        goal.progress_pct
    from goal
    left join goal as parent
        on
            goal.parent_goal_id = parent.goal_id
            and goal.period_id = parent.period_id
),

-- What lies below an archived goal is left out with it. A criterion holds for the member's own goals below.
depth_1 as (
    select
        goal_id,
        member_id,
        parent_goal_id,
        progress_pct,
        criterion,
        status = 'archived' as is_archived,
        criterion is not null as is_at_top_of_criterion
    from placed
    where parent_goal_id is null
),

{% for depth in range(2, depths + 1) %}
    depth_{{ depth }} as (
        select
            placed.goal_id,
            placed.member_id,
            placed.parent_goal_id,
            placed.progress_pct,
            coalesce(placed.criterion, case when placed.member_id = above.member_id then above.criterion end) as criterion,
            placed.status = 'archived' or above.is_archived as is_archived,
            placed.criterion is not null
            and (placed.member_id <> above.member_id or placed.criterion is distinct from above.criterion)
                as is_at_top_of_criterion
        from placed
        inner join depth_{{ depth - 1 }} as above on placed.parent_goal_id = above.goal_id
    ),
{% endfor %}

reckoned_{{ depths }} as (
    select
        goal_id,
        parent_goal_id,
        criterion,
        is_archived,
        is_at_top_of_criterion,
        cast(0 as bigint) as child_count,
        cast(1 as bigint) as leaf_count,
        cast(progress_pct as decimal(18, 8)) as progress_pct
    from depth_{{ depths }}
),

-- From the foot upwards: the mean of the goals right below, each as heavy as the others; one that says nothing is left out.
{% for depth in range(depths - 1, 0, -1) %}
    below_{{ depth }} as (
        select
            parent_goal_id,
            count(*) as child_count,
            sum(leaf_count) as leaf_count,
            sum(progress_pct) as progress_sum,
            count(progress_pct) as progress_count
        from reckoned_{{ depth + 1 }}
        where not is_archived
        group by parent_goal_id
    ),

    reckoned_{{ depth }} as (
        select
            here.goal_id,
            here.parent_goal_id,
            here.criterion,
            here.is_archived,
            here.is_at_top_of_criterion,
            coalesce(below.child_count, 0) as child_count,
            cast(coalesce(below.leaf_count, 1) as bigint) as leaf_count,
            case
                when below.child_count is null then cast(here.progress_pct as decimal(18, 8))
                else cast({{ exact_divide('below.progress_sum', 'below.progress_count', 8) }} as decimal(18, 8))
            end as progress_pct
        from depth_{{ depth }} as here
        left join below_{{ depth }} as below on here.goal_id = below.parent_goal_id
    ),
{% endfor %}

reckoned as (
    {% for depth in range(1, depths + 1) %}
        select
            goal_id,
            {{ depth }} as depth,
            criterion,
            is_archived,
            is_at_top_of_criterion,
            child_count,
            leaf_count,
            progress_pct
        from reckoned_{{ depth }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    select
        placed.goal_id,
        placed.member_id,
        placed.period_id,
        placed.parent_goal_id,
        reckoned.criterion as criterion_id,
        placed.goal_title,
        placed.status,
        reckoned.depth,
        coalesce(reckoned.child_count, 0) as child_count,
        coalesce(reckoned.leaf_count, 0) as leaf_count,
        placed.progress_pct as stated_progress_pct,
        case when not reckoned.is_archived then reckoned.progress_pct end as progress_pct,
        coalesce(not reckoned.is_archived, false) as is_counted,
        coalesce(not reckoned.is_archived and reckoned.is_at_top_of_criterion, false) as is_at_top_of_criterion,
        case
            when reckoned.goal_id is null then 'circle'
            when placed.status = 'archived' then 'archived'
            when reckoned.is_archived then 'archived_above'
        end as left_out
    from placed
    left join reckoned on placed.goal_id = reckoned.goal_id
)

select * from final
