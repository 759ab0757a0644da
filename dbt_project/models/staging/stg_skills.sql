-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    assessment_id,
    member_id,
    skill,
    topic,
    cast(assessed_date as date) as assessed_date,
    assessor_id,
    cast(scale_min as decimal(9, 4)) as scale_min,
    cast(scale_max as decimal(9, 4)) as scale_max,
    cast(level as decimal(9, 4)) as level,
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
from {{ source('lake', 'skills') }}
where _ingested_at <= {{ as_of() }}
