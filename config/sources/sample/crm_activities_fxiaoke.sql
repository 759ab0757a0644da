-- The API writes moments in milliseconds and people as lists, also a single one.
select
    _delivery_id,
    _row_number,
    'fxiaoke' as crm_system,
    activity_id,
    coalesce(cast(epoch_ms(try_cast(updated_at as bigint)) as varchar), updated_at) as updated_at,
    case kind
        when '电话' then 'call'
        when '拜访' then 'visit'
        when '会议' then 'meeting'
        when '微信' then 'chat'
        else kind
    end as kind,
    account_id,
    opportunity_id,
    json_extract_string(owners, '$[0]') as user_id,
    subject,
    coalesce(cast(epoch_ms(try_cast(occurred_at as bigint)) as varchar), occurred_at) as occurred_at,
    coalesce(cast(epoch_ms(try_cast(updated_at as bigint)) as varchar), updated_at) as completed_at
from fxiaoke_activities
