-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    message_id,
    cast(updated_at as timestamp) as updated_at,
    sender_id,
    audience_type,
    audience_id,
    kind,
    channel,
    urgency,
    cast(sent_at as timestamp) as sent_at,
    cast(due_at as timestamp) as due_at,
    cast(needs_acknowledgement as boolean) as needs_acknowledgement,
    cast(acknowledged_at as timestamp) as acknowledged_at,
    cast(corrected_at as timestamp) as corrected_at,
    _source,
    _delivery_id,
    _source_file,
    cast(_row_number as bigint) as _row_number,
    cast(_row_part as integer) as _row_part,
    _received_date,
    _ingested_at,
    _run_id,
    _row_hash,
    _is_repeat,
    _gone_date,
    _is_deleted
from {{ source('lake', 'messages') }}
where _ingested_at <= {{ as_of() }}
