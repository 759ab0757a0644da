-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    course_id,
    course_name,
    topic,
    cast(is_mandatory as boolean) as is_mandatory,
    cast(hours as decimal(9, 2)) as hours,
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
from {{ source('lake', 'training_courses') }}
where _ingested_at <= {{ as_of() }}
