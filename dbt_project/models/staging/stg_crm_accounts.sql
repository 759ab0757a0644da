-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    crm_system,
    account_id,
    cast(updated_at as timestamp) as updated_at,
    account_name,
    dealer_id,
    account_type,
    owner_user_id,
    phone,
    website,
    country,
    city,
    cast(created_at as timestamp) as created_at,
    cast(last_activity_at as timestamp) as last_activity_at,
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
from {{ source('lake', 'crm_accounts') }}
where _ingested_at <= {{ as_of() }}
