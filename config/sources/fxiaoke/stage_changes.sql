select
    _delivery_id,
    _row_number,
    gone = 'true' as _is_deleted,
    'fxiaoke' as crm_system,
    stage_change_id,
    pulled_at as updated_at,
    opportunity_id,
    json_extract_string(users, '$[0]') as user_id,
    from_stage,
    to_stage,
    coalesce(cast(epoch_ms(try_cast(changed_at as bigint)) as varchar), changed_at) as changed_at,
    coalesce(cast(epoch_ms(try_cast(logged_at as bigint)) as varchar), logged_at) as logged_at,
    amount,
    currency_code,
    probability_pct,
    coalesce(
        cast(cast(timezone('Asia/Shanghai', timezone('UTC', epoch_ms(try_cast(expected_close as bigint)))) as date) as varchar),
        expected_close
    ) as expected_close_date
from stage_changes
