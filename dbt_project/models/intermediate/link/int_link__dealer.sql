-- Grain: one row per system and code that stands for a dealer there, linked or not.
with

link as (
    select
        *,
        {{ winner_rank(['system', 'subject_type', 'external_id']) }} as winner_rank
    from {{ ref('stg_id_links') }}
),

account as (
    select
        *,
        {{ winner_rank(['crm_system', 'account_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_crm_accounts') }}
),

opportunity as (
    select * from {{ ref('stg_crm_opportunities') }}
),

activity as (
    select * from {{ ref('stg_crm_activities') }}
),

linked as (
    select
        system,
        external_id,
        subject_id as dealer_id
    from link
    where
        subject_type = 'dealer'
        and winner_rank = 1
),

-- Our code, where the CRM carries it, says more than a list of codes beside it.
carried as (
    select
        crm_system as system,
        account_id as external_id,
        dealer_id
    from account
    where
        winner_rank = 1
        and dealer_id is not null
),

named as (
    select
        system,
        external_id
    from linked

    union

    select
        crm_system as system,
        account_id as external_id
    from account

    union

    select
        crm_system as system,
        account_id as external_id
    from opportunity
    where account_id is not null

    union

    select
        crm_system as system,
        account_id as external_id
    from activity
    where account_id is not null
),

final as (
    select
        named.system,
        named.external_id,
        coalesce(carried.dealer_id, linked.dealer_id) as dealer_id,
        carried.dealer_id is not null or linked.dealer_id is not null as is_linked
    from named
    left join carried
        on
            named.system = carried.system
            and named.external_id = carried.external_id
    left join linked
        on
            named.system = linked.system
            and named.external_id = linked.external_id
)

select * from final
