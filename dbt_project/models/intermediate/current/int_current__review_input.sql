-- Grain: one row per rated member, period, rater and criterion.
with

input as (
    select
        *,
        {{ winner_rank(['review_input_id']) }} as winner_rank
    from {{ ref('stg_review_inputs') }}
),

final as (
    select
        review_input_id,
        member_id,
        period_id,
        rater_type,
        rater_id,
        criterion,
        scale_min,
        scale_max,
        score,
        comment,
        submitted_date,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from input
    where winner_rank = 1
)

select * from final
