select
    _delivery_id,
    _row_number,
    'fxiaoke' as crm_system,
    stage_change_id,
    opportunity_id,
    user_id,
    from_stage,
    to_stage,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(changed_at, '%Y/%m/%d %H:%M'))) as varchar),
        changed_at
    ) as changed_at,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(logged_at, '%Y/%m/%d %H:%M'))) as varchar),
        logged_at
    ) as logged_at,
    amount,
    currency_code,
    probability_pct,
    expected_close_date
from fxiaoke_stage_changes
