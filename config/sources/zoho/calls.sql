-- A call is done when it is logged; its length comes in seconds. It is about a deal, or about an account.
select
    calls._delivery_id,
    calls._row_number,
    calls.gone = 'true' as _is_deleted,
    'zoho' as crm_system,
    calls.activity_id,
    calls.changed_at as updated_at,
    'call' as kind,
    coalesce(calls.account_id, account.account_id) as account_id,
    case when account.account_id is null then calls.about_id end as opportunity_id,
    calls.user_id,
    calls.subject,
    coalesce(cast(timezone('UTC', try_cast(calls.occurred_at as timestamptz)) as varchar), calls.occurred_at) as occurred_at,
    coalesce(cast(timezone('UTC', try_cast(calls.done_at as timestamptz)) as varchar), calls.done_at) as completed_at,
    coalesce(
        cast(cast(round(try_cast(calls.duration_seconds as bigint) * 1.0 / 60) as bigint) as varchar),
        calls.duration_seconds
    ) as duration_minutes
from calls
left join feed_crm_accounts as account on account.crm_system = 'zoho' and calls.about_id = account.account_id
