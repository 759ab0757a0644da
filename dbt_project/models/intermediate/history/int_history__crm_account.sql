-- Grain: one row per account of a CRM and window of days in which its record did not change.
with

account as (
    select * from {{ ref('stg_crm_accounts') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

dated as (
    select
        account.*,
        {{ local_date('account.updated_at', 'company.time_zone') }} as valid_from
    from account
    cross join company
),

version as (
    select
        *,
        {{ winner_rank(['crm_system', 'account_id', 'valid_from'], 'updated_at') }} as winner_rank
    from dated
),

-- An account that the CRM deletes was there until then: what it was at the end of earlier months stays as it was.
bound as (
    select
        crm_system,
        account_id,
        valid_from,
        bool_or(winner_rank = 1) as is_held
    from version
    where
        winner_rank = 1
        or _is_deleted
    group by crm_system, account_id, valid_from
),

validity as (
    select
        crm_system,
        account_id,
        valid_from,
        is_held,
        coalesce(
            lead(valid_from) over (partition by crm_system, account_id order by valid_from nulls last), {{ open_end() }}
        ) as valid_to
    from bound
),

final as (
    select
        version.crm_system,
        version.account_id,
        validity.valid_from,
        validity.valid_to,
        version.updated_at,
        version.account_name,
        version.dealer_id,
        version.account_type,
        version.owner_user_id,
        version.phone,
        version.website,
        version.country,
        version.city,
        version.created_at,
        version.last_activity_at,
        version._source,
        version._source_file,
        version._delivery_id,
        version._row_number,
        version._row_part,
        version._received_date
    from version
    inner join validity
        on
            version.crm_system = validity.crm_system
            and version.account_id = validity.account_id
            and version.valid_from = validity.valid_from
    where
        version.winner_rank = 1
        and validity.is_held
)

select * from final
