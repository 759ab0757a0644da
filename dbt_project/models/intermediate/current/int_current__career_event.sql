-- Grain: one row per promotion or other change of a member.
with

event as (
    select
        *,
        {{ winner_rank(['career_event_id']) }} as winner_rank
    from {{ ref('stg_career_events') }}
),

final as (
    select
        career_event_id,
        member_id,
        kind,
        from_grade,
        to_grade,
        from_role,
        to_role,
        decided_date,
        effective_date,
        decided_by_id,
        reason,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from event
    where winner_rank = 1
)

select * from final
