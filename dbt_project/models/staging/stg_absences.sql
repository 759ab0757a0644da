-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    absence_id,
    cast(updated_at as timestamp) as updated_at,
    member_id,
    kind,
    cast(valid_from as date) as valid_from,
    cast(valid_to as date) as valid_to,
    cast(absence_pct as decimal(9, 4)) as absence_pct,
    cast(is_paid as boolean) as is_paid,
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
from {{ source('lake', 'absences') }}
where _ingested_at <= {{ as_of() }}
