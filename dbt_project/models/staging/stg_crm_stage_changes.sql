-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    crm_system,
    stage_change_id,
    cast(updated_at as timestamp) as updated_at,
    opportunity_id,
    user_id,
    from_stage,
    to_stage,
    cast(changed_at as timestamp) as changed_at,
    cast(logged_at as timestamp) as logged_at,
    cast(amount as decimal(18, 4)) as amount,
    currency_code,
    cast(probability_pct as decimal(9, 4)) as probability_pct,
    cast(expected_close_date as date) as expected_close_date,
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
from {{ source('lake', 'crm_stage_changes') }}
where _ingested_at <= {{ as_of() }}
