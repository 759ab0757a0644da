select
    _delivery_id,
    _row_number,
    'fxiaoke' as crm_system,
    opportunity_id,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(updated_at, '%Y/%m/%d %H:%M'))) as varchar),
        updated_at
    ) as updated_at,
    opportunity_name,
    account_id,
    owner_user_id,
    pipeline,
    stage,
    case status when '进行中' then 'open' when '赢单' then 'won' when '输单' then 'lost' else status end as status,
    product_category,
    amount,
    currency_code,
    probability_pct,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(created_at, '%Y/%m/%d %H:%M'))) as varchar),
        created_at
    ) as created_at,
    expected_close_date,
    closed_date,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(last_activity_at, '%Y/%m/%d %H:%M'))) as varchar),
        last_activity_at
    ) as last_activity_at,
    loss_reason,
    transaction_id
from fxiaoke_opportunities
