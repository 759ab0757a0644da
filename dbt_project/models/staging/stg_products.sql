-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    product_id,
    cast(valid_from as date) as valid_from,
    cast(valid_to as date) as valid_to,
    product_name,
    category,
    subcategory,
    brand,
    unit,
    currency_code,
    cast(list_price_amount as decimal(18, 4)) as list_price_amount,
    cast(standard_cost_amount as decimal(18, 4)) as standard_cost_amount,
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
from {{ source('lake', 'products') }}
where _ingested_at <= {{ as_of() }}
