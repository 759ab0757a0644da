-- One result per member and complete quarter; the weights of the lines beside it sum to 100 in each part, those of the parts to
-- 100, and the scored weight is that of the lines with a score.
with

due as (
    select * from {{ ref('int_review__member_quarter') }}
),

result as (
    select * from {{ ref('mart_review__member_quarter') }}
),

line as (
    select * from {{ ref('mart_review__scorecard_line') }}
),

part_sum as (
    select
        member_id,
        period_id,
        part,
        part_weight_pct,
        sum(weight_pct) as weight_pct,
        sum(case when is_scored then weight_pct else 0 end) as scored_pct
    from line
    group by member_id, period_id, part, part_weight_pct
),

weighed as (
    select
        member_id,
        period_id,
        sum(part_weight_pct) as weight_pct,
        sum(cast({{ exact_divide('part_weight_pct * scored_pct', 'weight_pct', 4) }} as decimal(9, 4))) as scored_weight_pct
    from part_sum
    group by member_id, period_id
)

select
    coalesce(due.member_id, result.member_id) as member_id,
    coalesce(due.period_id, result.period_id) as period_id,
    weighed.weight_pct,
    weighed.scored_weight_pct
from due
full outer join result
    on
        due.member_id = result.member_id
        and due.period_id = result.period_id
left join weighed
    on
        due.member_id = weighed.member_id
        and due.period_id = weighed.period_id
where
    due.member_id is null
    or result.member_id is null
    or (due.template_id is not null and weighed.weight_pct is distinct from 100)
    or result.scored_weight_pct <> coalesce(weighed.scored_weight_pct, 0)
