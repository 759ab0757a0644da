-- A case is a dealer's: the account says which, by its own code or by id_links. What it is about, each tenant says in a
-- field of its own; without one it is a question.
select
    crm_cases._delivery_id,
    crm_cases._row_number,
    crm_cases.gone = 'true' as _is_deleted,
    'fxiaoke-' || crm_cases.record_id as case_id,
    crm_cases.changed_at as updated_at,
    coalesce(account.dealer_id, dealer_link.subject_id) as dealer_id,
    member_link.subject_id as member_id,
    'question' as category,
    coalesce(cast(epoch_ms(try_cast(crm_cases.created_at as bigint)) as varchar), crm_cases.created_at) as opened_at,
    case
        when coalesce(crm_cases.status_label, status.label, crm_cases.status) in ('已完成', '已关闭', '已解决')
            then crm_cases.changed_at
    end as resolved_at,
    case
        when crm_cases.gone <> 'true' and account.dealer_id is null and dealer_link.subject_id is null
            then 'unknown dealer'
    end as _reject_reason
from crm_cases
left join options as status
    on status.object = 'CasesObj' and status.field = 'case_status' and crm_cases.status = status.value
left join feed_crm_accounts as account on account.crm_system = 'fxiaoke' and crm_cases.account_id = account.account_id
left join feed_id_links as dealer_link
    on
        dealer_link.system = 'fxiaoke'
        and dealer_link.subject_type = 'dealer'
        and crm_cases.account_id = dealer_link.external_id
left join feed_id_links as member_link
    on
        member_link.system = 'fxiaoke'
        and member_link.subject_type = 'member'
        and json_extract_string(crm_cases.owners, '$[0]') = member_link.external_id
