-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    request_id,
    cast(updated_at as timestamp) as updated_at,
    member_id,
    dealer_id,
    kind,
    assignee_id,
    cast(opened_at as timestamp) as opened_at,
    cast(first_response_at as timestamp) as first_response_at,
    cast(closed_at as timestamp) as closed_at,
    cast(scale_min as decimal(9, 4)) as scale_min,
    cast(scale_max as decimal(9, 4)) as scale_max,
    cast(rating as decimal(9, 4)) as rating,
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
from {{ source('lake', 'support_requests') }}
where _ingested_at <= {{ as_of() }}
