-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    review_input_id,
    member_id,
    period_id,
    rater_type,
    rater_id,
    criterion,
    cast(scale_min as decimal(9, 4)) as scale_min,
    cast(scale_max as decimal(9, 4)) as scale_max,
    cast(score as decimal(9, 4)) as score,
    comment,
    cast(submitted_date as date) as submitted_date,
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
from {{ source('lake', 'review_inputs') }}
where _ingested_at <= {{ as_of() }}
