-- Grain: one row per rated member, period, rater and criterion.
with

input as (
    select * from {{ ref('int_current__review_input') }}
),

review_period as (
    select *
    from {{ ref('dim_period') }}
    where period_type = 'quarter'
),

member as (
    select * from {{ ref('dim_member') }}
),

final as (
    select
        input.review_input_id,
        input.member_id,
        input.period_id,
        input.rater_type,
        input.rater_id,
        input.criterion,
        input.scale_min,
        input.scale_max,
        input.score,
        input.comment,
        input.submitted_date,
        review_period.period_start,
        review_period.period_end,
        member.team as member_team,
        member.region as member_region,
        cast(
            {{ exact_divide('100 * (input.score - input.scale_min)', 'input.scale_max - input.scale_min', 8) }} as decimal(18, 8)
        ) as score_of_hundred,
        input._source,
        input._source_file,
        input._delivery_id,
        input._row_number,
        input._row_part,
        input._received_date
    from input
    left join review_period on input.period_id = review_period.period_id
    left join member
        on
            input.member_id = member.member_id
            and review_period.period_end > member.valid_from
            and review_period.period_end <= member.valid_to
)

select * from final
