-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    crm_system,
    activity_id,
    cast(updated_at as timestamp) as updated_at,
    kind,
    account_id,
    opportunity_id,
    user_id,
    subject,
    cast(occurred_at as timestamp) as occurred_at,
    cast(completed_at as timestamp) as completed_at,
    cast(duration_minutes as bigint) as duration_minutes,
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
from {{ source('lake', 'crm_activities') }}
where _ingested_at <= {{ as_of() }}
