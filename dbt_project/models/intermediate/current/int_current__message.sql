-- Grain: one row per message and audience.
with

record as (
    select
        *,
        {{ winner_rank(['message_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_messages') }}
),

final as (
    select
        message_id,
        updated_at,
        sender_id,
        audience_type,
        audience_id,
        kind,
        channel,
        urgency,
        sent_at,
        due_at,
        needs_acknowledgement,
        acknowledged_at,
        corrected_at,
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
