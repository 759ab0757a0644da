-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    event_id,
    attendee_type,
    attendee_id,
    event_name,
    kind,
    audience,
    organiser_id,
    cast(event_date as date) as event_date,
    cast(invited_date as date) as invited_date,
    cast(is_attended as boolean) as is_attended,
    cast(scale_min as decimal(9, 4)) as scale_min,
    cast(scale_max as decimal(9, 4)) as scale_max,
    cast(rating as decimal(9, 4)) as rating,
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
from {{ source('lake', 'events') }}
where _ingested_at <= {{ as_of() }}
