-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    recognition_id,
    member_id,
    award,
    cast(awarded_date as date) as awarded_date,
    given_by_id,
    cast(value_amount as decimal(18, 4)) as value_amount,
    currency_code,
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
from {{ source('lake', 'recognitions') }}
where _ingested_at <= {{ as_of() }}
