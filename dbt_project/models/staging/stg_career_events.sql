-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    career_event_id,
    member_id,
    kind,
    from_grade,
    to_grade,
    from_role,
    to_role,
    cast(decided_date as date) as decided_date,
    cast(effective_date as date) as effective_date,
    decided_by_id,
    reason,
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
from {{ source('lake', 'career_events') }}
where _ingested_at <= {{ as_of() }}
