-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    payment_id,
    transaction_id,
    original_payment_id,
    dealer_id,
    payment_type,
    cast(amount as decimal(18, 4)) as amount,
    currency_code,
    cast(payment_date as date) as payment_date,
    method,
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
from {{ source('lake', 'payments') }}
where _ingested_at <= {{ as_of() }}
