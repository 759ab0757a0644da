-- Grain: one row per deal and member named as taking part in it.
with

deal as (
    select * from {{ ref('int_deal__deal') }}
),

participant as (
    select * from {{ ref('bridge_deal_participant') }}
),

opportunity as (
    select *
    from {{ ref('fct_opportunity') }}
    where status = 'won'
),

named_opportunity as (
    select
        opportunity.crm_system,
        opportunity.opportunity_id,
        opportunity.transaction_id,
        opportunity.crm_system || ' ' || opportunity.opportunity_id as told_by,
        participant.member_id,
        participant.role,
        participant.contribution_pct
    from opportunity
    inner join participant
        on
            participant.deal_type = 'opportunity'
            and opportunity.crm_system = participant.crm_system
            and opportunity.opportunity_id = participant.deal_id
),

-- Who is named on the opportunity took part in the invoice that came of it.
named as (
    select
        deal.deal_id,
        'sale' as told_by,
        participant.member_id,
        participant.role,
        participant.contribution_pct
    from deal
    inner join participant
        on
            participant.deal_type = 'sale'
            and deal.transaction_id = participant.deal_id

    union all

    select
        deal.deal_id,
        named_opportunity.told_by,
        named_opportunity.member_id,
        named_opportunity.role,
        named_opportunity.contribution_pct
    from named_opportunity
    inner join deal
        on
            deal.deal_type = 'sale'
            and named_opportunity.transaction_id = deal.transaction_id

    union all

    select
        deal.deal_id,
        named_opportunity.told_by,
        named_opportunity.member_id,
        named_opportunity.role,
        named_opportunity.contribution_pct
    from named_opportunity
    inner join deal
        on
            deal.deal_type = 'opportunity'
            and named_opportunity.crm_system = deal.crm_system
            and named_opportunity.opportunity_id = deal.opportunity_id
),

-- The shares of each list of names are to make a whole, not those of two lists together.
listed as (
    select
        deal_id,
        told_by,
        coalesce(sum(contribution_pct), 0) = 100 as is_whole
    from named
    group by deal_id, told_by
),

whole as (
    select
        deal_id,
        bool_and(is_whole) as is_whole
    from listed
    group by deal_id
),

member_of_deal as (
    select
        deal_id,
        member_id,
        bool_or(role is not null) as has_role,
        coalesce(max(contribution_pct), 0) as contribution_pct
    from named
    group by deal_id, member_id
),

final as (
    select
        member_of_deal.deal_id,
        member_of_deal.member_id,
        count(*) over (partition by member_of_deal.deal_id) >= 2 as is_shared,
        whole.is_whole
        and bool_and(member_of_deal.has_role) over (partition by member_of_deal.deal_id) as is_role_named,
        row_number() over (
            partition by member_of_deal.deal_id
            order by member_of_deal.contribution_pct desc nulls last, member_of_deal.member_id asc nulls last
        ) = 1 as is_lead
    from member_of_deal
    inner join whole on member_of_deal.deal_id = whole.deal_id
)

select * from final
