-- Grain: one row per payee, plan and unbroken window in which the payee is paid by the plan.
with

version as (
    select
        *,
        {{ winner_rank(['plan_assignment_id'], dated=true) }} as winner_rank
    from {{ ref('stg_plan_assignments') }}
),

assignment as (
    select
        plan_assignment_id,
        payee_type,
        payee_id,
        plan_id,
        valid_from,
        {{ stated_end() }} as valid_to
    from version
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
),

-- Assignments that overlap or touch are one window: a sale inside two of them is credited once.
compared as (
    select
        *,
        max(valid_to) over (
            partition by payee_type, payee_id, plan_id
            order by valid_from nulls last, valid_to nulls last, plan_assignment_id nulls last
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from assignment
),

numbered as (
    select
        *,
        sum(case when valid_from <= latest_end_before then 0 else 1 end) over (
            partition by payee_type, payee_id, plan_id
            order by valid_from nulls last, valid_to nulls last, plan_assignment_id nulls last
            rows between unbounded preceding and current row
        ) as window_no
    from compared
),

final as (
    select
        payee_type,
        payee_id,
        plan_id,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to
    from numbered
    group by payee_type, payee_id, plan_id, window_no
)

select * from final
