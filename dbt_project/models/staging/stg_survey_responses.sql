-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    response_id,
    survey,
    cast(scale_min as decimal(9, 4)) as scale_min,
    cast(scale_max as decimal(9, 4)) as scale_max,
    respondent_id,
    dealer_id,
    member_id,
    case_id,
    cast(sent_date as date) as sent_date,
    cast(answered_date as date) as answered_date,
    cast(score as decimal(9, 4)) as score,
    comment,
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
from {{ source('lake', 'survey_responses') }}
where _ingested_at <= {{ as_of() }}
