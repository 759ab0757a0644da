-- People whose position says that they work for dealers, where no list of HR brings them: who is linked to a member is known.
select
    crm_users._delivery_id,
    crm_users._row_number,
    crm_users.user_id as member_id,
    coalesce(
        cast(cast(timezone('Asia/Shanghai', timezone('UTC', epoch_ms(try_cast(coalesce(crm_users.hired_at, crm_users.created_at) as bigint)))) as date) as varchar),
        coalesce(crm_users.hired_at, crm_users.created_at)
    ) as valid_from,
    crm_users.user_name as member_name,
    case
        when crm_users.position like '%经理%' then 'manager'
        when crm_users.position like '%销售%' then 'sales'
        when crm_users.position like '%客服%' then 'service'
        when crm_users.position like '%支持%' then 'support'
    end as role,
    departments.name as team,
    case
        when member_link.subject_id is not null then 'id_links says which member this is'
        when not coalesce(regexp_matches(crm_users.position, '经理|销售|客服|支持'), false) then 'no role in the dealer team'
    end as _structural
from crm_users
left join departments on crm_users.department_id = departments.id
left join feed_id_links as member_link
    on
        member_link.system = 'fxiaoke'
        and member_link.subject_type = 'member'
        and crm_users.user_id = member_link.external_id
