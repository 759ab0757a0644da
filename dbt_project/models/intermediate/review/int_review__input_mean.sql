-- Grain: one row per member, quarter, part of people and criterion with a rating that counts.
with

input as (
    select
        *,
        cast(coalesce(manager_days, 1) as decimal(9, 0)) as weight
    from {{ ref('int_review__input_version') }}
    where status = 'counted'
),

part as (
    select * from {{ source('config', 'review_part') }}
),

summed as (
    select
        member_id,
        period_id,
        template_id,
        part,
        criterion_id,
        count(*) as rater_count,
        sum({{ exact_product('score_of_hundred', 'weight') }}) as weighted_score,
        sum(weight) as weight,
        sum(score_of_hundred) as score_sum,
        sum({{ exact_product('score_of_hundred', 'score_of_hundred') }}) as square_sum
    from input
    group by member_id, period_id, template_id, part, criterion_id
),

-- A mean of managers goes by days, for which no plain interval holds.
final as (
    select
        summed.member_id,
        summed.period_id,
        summed.part,
        summed.criterion_id,
        summed.rater_count,
        cast({{ exact_divide('summed.weighted_score', 'summed.weight', 8) }} as decimal(18, 8)) as mean_score,
        case
            when summed.part in ('peers', 'dealers')
                then {{ mean_bound('summed.score_sum', 'summed.square_sum', 'summed.rater_count', 'low') }}
        end as ci_low,
        case
            when summed.part in ('peers', 'dealers')
                then {{ mean_bound('summed.score_sum', 'summed.square_sum', 'summed.rater_count', 'high') }}
        end as ci_high,
        summed.rater_count < coalesce(part.min_raters, 1) as is_hidden
    from summed
    left join part
        on
            summed.template_id = part.template_id
            and summed.part = part.part
)

select * from final
