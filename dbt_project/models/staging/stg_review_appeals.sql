-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    appeal_id,
    member_id,
    period_id,
    criterion,
    reason,
    cast(submitted_date as date) as submitted_date,
    cast(due_date as date) as due_date,
    cast(decided_date as date) as decided_date,
    decided_by_id,
    outcome,
    cast(score_before as decimal(9, 4)) as score_before,
    cast(score_after as decimal(9, 4)) as score_after,
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
from {{ source('lake', 'review_appeals') }}
where _ingested_at <= {{ as_of() }}
