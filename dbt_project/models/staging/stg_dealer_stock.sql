-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    dealer_id,
    product_id,
    cast(as_of_date as date) as as_of_date,
    cast(on_hand_quantity as decimal(18, 4)) as on_hand_quantity,
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
from {{ source('lake', 'dealer_stock') }}
where _ingested_at <= {{ as_of() }}
