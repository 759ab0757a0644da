-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    adjustment_id,
    payee_type,
    payee_id,
    plan_id,
    cast(effective_date as date) as effective_date,
    cast(amount as decimal(18, 4)) as amount,
    currency_code,
    reason,
    requested_by_id,
    approved_by_id,
    cast(approved_date as date) as approved_date,
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
from {{ source('lake', 'adjustments') }}
where _ingested_at <= {{ as_of() }}
