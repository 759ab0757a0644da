-- A case is a dealer's: the account says which, by its own code or by id_links. A deleted one needs its number no more.
select
    crm_cases._delivery_id,
    crm_cases._row_number,
    crm_cases.gone = 'true' as _is_deleted,
    'zoho-' || crm_cases.record_id as case_id,
    crm_cases.changed_at as updated_at,
    coalesce(account.dealer_id, dealer_link.subject_id) as dealer_id,
    member_link.subject_id as member_id,
    case lower(crm_cases.category)
        when 'problem' then 'complaint'
        when 'feature request' then 'question'
        else lower(coalesce(crm_cases.category, 'question'))
    end as category,
    case lower(crm_cases.channel) when 'web' then 'portal' else lower(crm_cases.channel) end as channel,
    case lower(crm_cases.priority) when 'medium' then 'normal' else lower(crm_cases.priority) end as priority,
    coalesce(cast(timezone('UTC', try_cast(crm_cases.created_at as timestamptz)) as varchar), crm_cases.created_at) as opened_at,
    case when crm_cases.status = 'Closed' then crm_cases.changed_at end as resolved_at,
    case
        when crm_cases.gone <> 'true' and account.dealer_id is null and dealer_link.subject_id is null
            then 'unknown dealer'
    end as _reject_reason
from crm_cases
left join feed_crm_accounts as account on account.crm_system = 'zoho' and crm_cases.account_id = account.account_id
left join feed_id_links as dealer_link
    on
        dealer_link.system = 'zoho'
        and dealer_link.subject_type = 'dealer'
        and crm_cases.account_id = dealer_link.external_id
left join feed_id_links as member_link
    on
        member_link.system = 'zoho'
        and member_link.subject_type = 'member'
        and crm_cases.owner_user_id = member_link.external_id
