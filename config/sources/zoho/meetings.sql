-- A meeting is done when its end has passed by the time at which it was last changed; nobody ticks it off.
select
    meetings._delivery_id,
    meetings._row_number,
    meetings.gone = 'true' as _is_deleted,
    'zoho' as crm_system,
    meetings.activity_id,
    meetings.changed_at as updated_at,
    'meeting' as kind,
    account.account_id as account_id,
    case when account.account_id is null then meetings.about_id end as opportunity_id,
    meetings.user_id,
    meetings.subject,
    coalesce(cast(timezone('UTC', try_cast(meetings.occurred_at as timestamptz)) as varchar), meetings.occurred_at) as occurred_at,
    case
        when try_cast(meetings.ended_at as timestamptz) <= timezone('UTC', try_cast(meetings.changed_at as timestamp))
            then cast(timezone('UTC', try_cast(meetings.ended_at as timestamptz)) as varchar)
    end as completed_at,
    cast(
        date_diff('minute', try_cast(meetings.occurred_at as timestamptz), try_cast(meetings.ended_at as timestamptz)) as varchar
    ) as duration_minutes
from meetings
left join feed_crm_accounts as account on account.crm_system = 'zoho' and meetings.about_id = account.account_id
