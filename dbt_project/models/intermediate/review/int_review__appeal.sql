-- Grain: one row per appeal.
with

appeal as (
    select * from {{ ref('fct_review_appeal') }}
),

line as (
    select * from {{ ref('int_review__line') }}
),

due as (
    select * from {{ ref('int_review__member_quarter') }}
),

-- A decision on a criterion takes the place of what was measured or said of it, but for the member's own word.
scored as (
    select distinct
        member_id,
        period_id,
        criterion_id
    from line
    where
        score is not null
        and part <> 'self'
),

judged as (
    select
        appeal.appeal_id,
        appeal.member_id,
        appeal.period_id,
        appeal.criterion,
        appeal.decided_date,
        appeal.score_after,
        due.member_id as due_member_id,
        scored.criterion_id,
        coalesce(
            appeal.outcome in ('granted', 'partly_granted')
            and appeal.decided_date <= {{ as_of_date() }}, false
        ) as is_granted
    from appeal
    left join due
        on
            appeal.member_id = due.member_id
            and appeal.period_id = due.period_id
    left join scored
        on
            appeal.member_id = scored.member_id
            and appeal.period_id = scored.period_id
            and appeal.criterion = scored.criterion_id
),

told as (
    select
        *,
        case
            when not is_granted then 'none'
            when due_member_id is null then 'not_due'
            when score_after is null then 'no_score'
            when score_after < 0 or score_after > 100 then 'outside_scale'
            when criterion is not null and criterion_id is null then 'not_scored'
        end as left_because
    from judged
),

-- Of several decisions on one thing the last holds, and one on the whole goes before those on criteria.
ranked as (
    select
        *,
        row_number() over (
            partition by member_id, period_id, criterion, case when left_because is null then 0 else 1 end
            order by decided_date desc nulls last, appeal_id desc nulls last
        ) as decision_rank,
        bool_or(left_because is null and criterion is null) over (partition by member_id, period_id) as is_whole_decided
    from told
),

final as (
    select
        appeal_id,
        member_id,
        period_id,
        criterion as criterion_id,
        cast(score_after as decimal(9, 4)) as score_after,
        case
            when left_because is not null then left_because
            when decision_rank > 1 then 'later_decision'
            when criterion is not null and is_whole_decided then 'whole_decided'
        end as left_because
    from ranked
)

select * from final
