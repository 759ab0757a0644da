-- One rating per member and complete quarter, and the weights of the criteria beside it sum to 100.
with

due as (
    select * from {{ ref('int_review__member_quarter') }}
),

rating as (
    select * from {{ ref('mart_review__rating') }}
),

weighed as (
    select
        member_id,
        period_id,
        sum(weight_pct) as weight_pct,
        sum(case when is_scored then weight_pct else 0 end) as scored_weight_pct
    from {{ ref('mart_review__scorecard') }}
    group by member_id, period_id
)

select
    coalesce(due.member_id, rating.member_id) as member_id,
    coalesce(due.period_id, rating.period_id) as period_id,
    weighed.weight_pct,
    weighed.scored_weight_pct
from due
full outer join rating
    on
        due.member_id = rating.member_id
        and due.period_id = rating.period_id
left join weighed
    on
        due.member_id = weighed.member_id
        and due.period_id = weighed.period_id
where
    due.member_id is null
    or rating.member_id is null
    or (due.template_id is not null and weighed.weight_pct is distinct from 100)
    or rating.scored_weight_pct <> coalesce(weighed.scored_weight_pct, 0)
