-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    dispute_id,
    payee_type,
    payee_id,
    plan_id,
    period_id,
    cast(disputed_amount as decimal(18, 4)) as disputed_amount,
    currency_code,
    cast(opened_date as date) as opened_date,
    cast(due_date as date) as due_date,
    cast(decided_date as date) as decided_date,
    decided_by_id,
    outcome,
    reason,
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
from {{ source('lake', 'statement_disputes') }}
where _ingested_at <= {{ as_of() }}
