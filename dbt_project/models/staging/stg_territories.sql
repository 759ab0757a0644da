-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    territory_id,
    subject_type,
    subject_id,
    cast(valid_from as date) as valid_from,
    cast(valid_to as date) as valid_to,
    territory_name,
    region,
    cast(share_pct as decimal(9, 4)) as share_pct,
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
from {{ source('lake', 'territories') }}
where _ingested_at <= {{ as_of() }}
