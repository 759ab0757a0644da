-- A call is done when it is logged; its length comes in seconds.
select
    _delivery_id,
    _row_number,
    'zoho' as crm_system,
    activity_id,
    coalesce(cast(timezone('UTC', try_cast(updated_at as timestamptz)) as varchar), updated_at) as updated_at,
    'call' as kind,
    account_id,
    opportunity_id,
    user_id,
    subject,
    coalesce(cast(timezone('UTC', try_cast(occurred_at as timestamptz)) as varchar), occurred_at) as occurred_at,
    coalesce(cast(timezone('UTC', try_cast(updated_at as timestamptz)) as varchar), updated_at) as completed_at,
    coalesce(cast(cast(round(try_cast(duration_seconds as bigint) * 1.0 / 60) as bigint) as varchar), duration_seconds) as duration_minutes
from zoho_calls
