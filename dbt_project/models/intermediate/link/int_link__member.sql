-- Grain: one row per system and code that stands for a person there, linked or not.
with

link as (
    select
        *,
        {{ winner_rank(['system', 'subject_type', 'external_id']) }} as winner_rank
    from {{ ref('stg_id_links') }}
),

account as (
    select * from {{ ref('stg_crm_accounts') }}
),

opportunity as (
    select * from {{ ref('stg_crm_opportunities') }}
),

stage_change as (
    select * from {{ ref('stg_crm_stage_changes') }}
),

activity as (
    select * from {{ ref('stg_crm_activities') }}
),

linked as (
    select
        system,
        external_id,
        subject_id as member_id
    from link
    where
        subject_type = 'member'
        and winner_rank = 1
),

-- A user whom nobody has linked stays visible: what the user did is in the facts, without a member.
named as (
    select
        system,
        external_id
    from linked

    union

    select
        crm_system as system,
        owner_user_id as external_id
    from account
    where owner_user_id is not null

    union

    select
        crm_system as system,
        owner_user_id as external_id
    from opportunity
    where owner_user_id is not null

    union

    select
        crm_system as system,
        user_id as external_id
    from stage_change
    where user_id is not null

    union

    select
        crm_system as system,
        user_id as external_id
    from activity
    where user_id is not null
),

final as (
    select
        named.system,
        named.external_id,
        linked.member_id,
        linked.member_id is not null as is_linked
    from named
    left join linked
        on
            named.system = linked.system
            and named.external_id = linked.external_id
)

select * from final
