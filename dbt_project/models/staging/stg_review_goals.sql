-- Grain: one row per accepted row of the feed visible at as_of, repeats and superseded versions included.
select
    goal_id,
    cast(updated_at as timestamp) as updated_at,
    member_id,
    period_id,
    parent_goal_id,
    criterion,
    goal_title,
    cast(progress_pct as decimal(9, 4)) as progress_pct,
    status,
    cast(agreed_date as date) as agreed_date,
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
from {{ source('lake', 'review_goals') }}
where _ingested_at <= {{ as_of() }}
