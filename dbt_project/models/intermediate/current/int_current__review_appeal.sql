-- Grain: one row per appeal.
with

appeal as (
    select
        *,
        {{ winner_rank(['appeal_id']) }} as winner_rank
    from {{ ref('stg_review_appeals') }}
),

final as (
    select
        appeal_id,
        member_id,
        period_id,
        criterion,
        reason,
        submitted_date,
        due_date,
        decided_date,
        decided_by_id,
        outcome,
        score_before,
        score_after,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from appeal
    where winner_rank = 1
)

select * from final
