-- Grain: one row per decision asked for on a target.
with

target_approval as (
    select
        *,
        {{ winner_rank(['approval_id']) }} as winner_rank
    from {{ ref('stg_target_approvals') }}
),

final as (
    select
        approval_id,
        target_id,
        approver_id,
        submitted_date,
        decided_date,
        outcome,
        submitted_value,
        approved_value,
        comment,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from target_approval
    where winner_rank = 1
)

select * from final
