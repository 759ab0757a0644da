-- Grain: one row per deal, member who had a part in it (one without member where nobody had) and measure.
with

deal as (
    select * from {{ ref('int_deal__deal') }}
),

participant as (
    select * from {{ ref('int_deal__participant') }}
),

credit as (
    select
        transaction_id,
        member_id
    from {{ ref('int_credit__sale_line') }}
    group by transaction_id, member_id
),

member as (
    select * from {{ ref('dim_member') }}
),

-- Whoever is named, or owns the opportunity, or is credited with the invoice.
had_part as (
    select
        deal_id,
        member_id
    from participant

    union

    select
        deal_id,
        member_id
    from deal
    where member_id is not null

    union

    select
        deal.deal_id,
        credit.member_id
    from deal
    inner join credit on deal.transaction_id = credit.transaction_id
),

judged as (
    select
        deal_id,
        bool_or(is_shared) as is_shared,
        bool_or(is_shared and is_role_named) as is_role_named
    from participant
    group by deal_id
),

placed as (
    select
        deal.deal_id as event_id,
        member.member_id,
        deal.dealer_id,
        member.team,
        coalesce(deal.region, member.region) as region,
        deal.amount_reporting,
        coalesce(judged.is_shared, false) as is_shared,
        coalesce(judged.is_role_named, false) as is_role_named,
        coalesce(participant.is_lead, false) as is_lead,
        deal.fiscal_month_start
    from deal
    left join judged on deal.deal_id = judged.deal_id
    left join had_part on deal.deal_id = had_part.deal_id
    left join participant
        on
            had_part.deal_id = participant.deal_id
            and had_part.member_id = participant.member_id
    left join member
        on
            had_part.member_id = member.member_id
            and deal.deal_date >= member.valid_from
            and deal.deal_date < {{ employed_until('member') }}
),

-- Of an amount no part may count twice: it counts for the one with the largest share of the work.
final as (
    {% for measure_code, value, condition in [
        ('deal_made', '1', 'event_id is not null'),
        ('deal_shared', '1', 'is_shared'),
        ('deal_roles_named', '1', 'is_role_named'),
        ('deal_shared_amount', 'amount_reporting', 'is_shared and is_lead'),
    ] %}
        select
            event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from placed
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
