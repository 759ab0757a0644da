-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    record_id,
    cast(updated_at as timestamp) as updated_at,
    course_id,
    member_id,
    dealer_id,
    cast(assigned_date as date) as assigned_date,
    cast(due_date as date) as due_date,
    cast(started_date as date) as started_date,
    cast(completed_date as date) as completed_date,
    cast(score as decimal(9, 4)) as score,
    cast(is_passed as boolean) as is_passed,
    cast(cost_amount as decimal(18, 4)) as cost_amount,
    currency_code,
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
from {{ source('lake', 'training_records') }}
where _ingested_at <= {{ as_of() }}
