select
    _delivery_id,
    _row_number,
    gone = 'true' as _is_deleted,
    'zoho' as crm_system,
    account_id,
    changed_at as updated_at,
    account_name,
    dealer_id,
    account_type,
    owner_user_id,
    phone,
    website,
    country,
    city,
    coalesce(cast(timezone('UTC', try_cast(created_at as timestamptz)) as varchar), created_at) as created_at,
    coalesce(cast(timezone('UTC', try_cast(last_activity_at as timestamptz)) as varchar), last_activity_at) as last_activity_at
from accounts
