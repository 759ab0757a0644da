-- Users whose role says that they work for dealers, where no list of HR brings them: who is linked to a member is known.
select
    crm_users._delivery_id,
    crm_users._row_number,
    crm_users.user_id as member_id,
    cast(cast(timezone('UTC', try_cast(crm_users.created_at as timestamptz)) as date) as varchar) as valid_from,
    crm_users.user_name as member_name,
    case
        when crm_users.role_name ilike '%manager%' then 'manager'
        when crm_users.role_name ilike '%sales%' then 'sales'
        when crm_users.role_name ilike '%service%' then 'service'
        when crm_users.role_name ilike '%support%' then 'support'
    end as role,
    case
        when member_link.subject_id is not null then 'id_links says which member this is'
        when crm_users.profile_name = 'Administrator' then 'administers the CRM'
        when not coalesce(regexp_matches(lower(crm_users.role_name), 'manager|sales|service|support'), false)
            then 'no role in the dealer team'
    end as _structural
from crm_users
left join feed_id_links as member_link
    on
        member_link.system = 'zoho'
        and member_link.subject_type = 'member'
        and crm_users.user_id = member_link.external_id
