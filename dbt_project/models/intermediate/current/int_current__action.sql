-- Grain: one row per action.
with

record as (
    select
        *,
        {{ winner_rank(['action_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_actions') }}
),

final as (
    select
        action_id,
        updated_at,
        kind,
        proposed_by_type,
        proposed_by_id,
        owner_id,
        about_type,
        about_id,
        text,
        agreed_date,
        due_date,
        answered_date,
        done_date,
        outcome,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from record
    where winner_rank = 1
)

select * from final
