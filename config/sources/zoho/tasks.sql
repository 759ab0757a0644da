-- A task takes place on the day on which it is due, else on that on which it was entered.
select
    tasks._delivery_id,
    tasks._row_number,
    tasks.gone = 'true' as _is_deleted,
    'zoho' as crm_system,
    tasks.activity_id,
    tasks.changed_at as updated_at,
    'task' as kind,
    account.account_id as account_id,
    case when account.account_id is null then tasks.about_id end as opportunity_id,
    tasks.user_id,
    tasks.subject,
    coalesce(tasks.due_date, coalesce(cast(timezone('UTC', try_cast(tasks.created_at as timestamptz)) as varchar), tasks.created_at)) as occurred_at,
    coalesce(cast(timezone('UTC', try_cast(tasks.completed_at as timestamptz)) as varchar), tasks.completed_at) as completed_at,
    cast(null as varchar) as duration_minutes
from tasks
left join feed_crm_accounts as account on account.crm_system = 'zoho' and tasks.about_id = account.account_id
