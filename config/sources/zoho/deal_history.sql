select
    _delivery_id,
    _row_number,
    gone = 'true' as _is_deleted,
    'zoho' as crm_system,
    stage_change_id,
    pulled_at as updated_at,
    opportunity_id,
    user_id,
    from_stage,
    to_stage,
    coalesce(cast(timezone('UTC', try_cast(changed_at as timestamptz)) as varchar), changed_at) as changed_at,
    coalesce(cast(timezone('UTC', try_cast(logged_at as timestamptz)) as varchar), logged_at) as logged_at,
    amount,
    currency_code,
    probability_pct,
    expected_close_date
from deal_history
