-- A record of sales work is done when it is entered.
select
    activities._delivery_id,
    activities._row_number,
    activities.gone = 'true' as _is_deleted,
    'fxiaoke' as crm_system,
    activities.activity_id,
    activities.changed_at as updated_at,
    case coalesce(activities.kind_label, kind.label, activities.kind)
        when '电话' then 'call'
        when '拜访' then 'visit'
        when '会议' then 'meeting'
        when '微信' then 'chat'
        when '邮件' then 'email'
        else coalesce(activities.kind_label, kind.label, activities.kind)
    end as kind,
    activities.account_id,
    activities.opportunity_id,
    json_extract_string(activities.owners, '$[0]') as user_id,
    activities.subject,
    coalesce(cast(epoch_ms(try_cast(activities.occurred_at as bigint)) as varchar), activities.occurred_at) as occurred_at,
    coalesce(cast(epoch_ms(try_cast(activities.done_at as bigint)) as varchar), activities.done_at) as completed_at
from activities
left join options as kind
    on kind.object = 'ActiveRecordObj' and kind.field = 'interactive_types' and activities.kind = kind.value
