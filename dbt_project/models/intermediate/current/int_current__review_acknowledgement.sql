-- Grain: one row per result delivered to a member.
with

acknowledgement as (
    select
        *,
        {{ winner_rank(['acknowledgement_id']) }} as winner_rank
    from {{ ref('stg_review_acknowledgements') }}
),

final as (
    select
        acknowledgement_id,
        member_id,
        period_id,
        delivered_by_id,
        delivered_date,
        acknowledged_date,
        comment,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from acknowledgement
    where winner_rank = 1
)

select * from final
