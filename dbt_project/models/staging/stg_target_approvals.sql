-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    approval_id,
    target_id,
    approver_id,
    cast(submitted_date as date) as submitted_date,
    cast(decided_date as date) as decided_date,
    outcome,
    cast(submitted_value as decimal(18, 4)) as submitted_value,
    cast(approved_value as decimal(18, 4)) as approved_value,
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
from {{ source('lake', 'target_approvals') }}
where _ingested_at <= {{ as_of() }}
