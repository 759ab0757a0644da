-- Grain: one row per account of a CRM and validity window.
with

account as (
    select * from {{ ref('int_history__crm_account') }}
),

member_link as (
    select * from {{ ref('int_link__member') }}
),

dealer_link as (
    select * from {{ ref('int_link__dealer') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

final as (
    select
        account.crm_system,
        account.account_id,
        account.valid_from,
        account.valid_to,
        account.valid_from <= {{ as_of_date() }} and account.valid_to > {{ as_of_date() }} as is_current,
        account.account_name,
        account.account_type,
        coalesce(account.dealer_id, dealer_link.dealer_id) as dealer_id,
        account.dealer_id as stated_dealer_id,
        account.owner_user_id,
        member_link.member_id,
        account.phone,
        account.website,
        account.country,
        account.city,
        {{ local_date('account.created_at', 'company.time_zone') }} as created_date,
        account.updated_at,
        account.last_activity_at,
        account._source,
        account._source_file,
        account._delivery_id,
        account._row_number,
        account._row_part,
        account._received_date
    from account
    cross join company
    left join member_link
        on
            account.crm_system = member_link.system
            and account.owner_user_id = member_link.external_id
    left join dealer_link
        on
            account.crm_system = dealer_link.system
            and account.account_id = dealer_link.external_id
)

select * from final
