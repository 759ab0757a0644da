-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    region,
    product_category,
    cast(period_start as date) as period_start,
    cast(period_end as date) as period_end,
    competitor,
    cast(amount as decimal(18, 4)) as amount,
    currency_code,
    cast(quantity as decimal(18, 4)) as quantity,
    cast(price_index as decimal(18, 4)) as price_index,
    data_provider,
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
from {{ source('lake', 'market') }}
where _ingested_at <= {{ as_of() }}
