select
    _delivery_id,
    _row_number,
    'zoho' as crm_system,
    stage_change_id,
    pulled_at as updated_at,
    opportunity_id,
    user_id,
    from_stage,
    to_stage,
    changed_at,
    changed_at as logged_at,
    amount,
    currency_code,
    probability_pct,
    expected_close_date
from deal_changes
