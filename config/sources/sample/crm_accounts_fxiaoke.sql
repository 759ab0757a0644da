select
    _delivery_id,
    _row_number,
    'fxiaoke' as crm_system,
    account_id,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(updated_at, '%Y/%m/%d %H:%M'))) as varchar),
        updated_at
    ) as updated_at,
    account_name,
    dealer_id,
    account_type,
    owner_user_id,
    phone,
    website,
    case country when '中国' then 'China' else country end as country,
    city,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(created_at, '%Y/%m/%d %H:%M'))) as varchar),
        created_at
    ) as created_at,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(last_activity_at, '%Y/%m/%d %H:%M'))) as varchar),
        last_activity_at
    ) as last_activity_at
from fxiaoke_accounts
