select
    _delivery_id,
    _row_number,
    message_id,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(updated_at, '%Y/%m/%d %H:%M'))) as varchar),
        updated_at
    ) as updated_at,
    sender_id,
    case audience_type
        when '经销商' then 'dealer'
        when '成员' then 'member'
        when '团队' then 'team'
        when '大区' then 'region'
        when '全公司' then 'company'
        else audience_type
    end as audience_type,
    case audience_id
        when '华东' then 'East China'
        when '华北' then 'North China'
        when '华南' then 'South China'
        when '西南' then 'Southwest China'
        else audience_id
    end as audience_id,
    case kind
        when '通知' then 'notice'
        when '指令' then 'instruction'
        when '市场信息' then 'market_info'
        when '反馈' then 'feedback'
        else kind
    end as kind,
    case channel
        when '电话' then 'phone'
        when '邮件' then 'email'
        when '视频会议' then 'video'
        when '面谈' then 'meeting'
        when '企业微信' then 'chat'
        when '门户' then 'portal'
        else channel
    end as channel,
    case urgency
        when '低' then 'low'
        when '普通' then 'normal'
        when '紧急' then 'high'
        when '特急' then 'urgent'
        else urgency
    end as urgency,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(sent_at, '%Y/%m/%d %H:%M'))) as varchar),
        sent_at
    ) as sent_at,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(due_at, '%Y/%m/%d %H:%M'))) as varchar),
        due_at
    ) as due_at,
    needs_acknowledgement,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(acknowledged_at, '%Y/%m/%d %H:%M'))) as varchar),
        acknowledged_at
    ) as acknowledged_at,
    coalesce(
        cast(timezone('UTC', timezone('Asia/Shanghai', try_strptime(corrected_at, '%Y/%m/%d %H:%M'))) as varchar),
        corrected_at
    ) as corrected_at
from messages
