-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    cast(rate_date as date) as rate_date,
    from_currency_code,
    to_currency_code,
    rate_type,
    cast(rate as decimal(18, 10)) as rate,
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
from {{ source('lake', 'fx_rates') }}
where _ingested_at <= {{ as_of() }}
