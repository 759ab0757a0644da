-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    dealer_id,
    cast(valid_from as date) as valid_from,
    cast(valid_to as date) as valid_to,
    dealer_name,
    dealer_type,
    tier,
    parent_dealer_id,
    region,
    country,
    city,
    currency_code,
    cast(onboarded_date as date) as onboarded_date,
    status,
    cast(credit_limit_amount as decimal(18, 4)) as credit_limit_amount,
    _source,
    _delivery_id,
    _source_file,
    cast(_row_number as bigint) as _row_number,
    cast(_row_part as integer) as _row_part,
    _received_date,
    _ingested_at,
    _run_id,
    _row_hash,
    _is_repeat
from {{ source('lake', 'dealers') }}
where _ingested_at <= {{ as_of() }}
