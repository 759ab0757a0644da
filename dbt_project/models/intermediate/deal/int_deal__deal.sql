-- Grain: one row per deal: an invoice, or an opportunity won of which no invoice is known.
with

invoice as (
    select * from {{ ref('int_deal__invoice') }}
),

opportunity as (
    select *
    from {{ ref('fct_opportunity') }}
    where
        status = 'won'
        and closed_date <= {{ received_until() }}
),

participant as (
    select * from {{ ref('bridge_deal_participant') }}
),

opportunity_stage as (
    select * from {{ ref('fct_opportunity_stage') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

document as (
    select
        transaction_id,
        min(dealer_id) as dealer_id,
        min(dealer_region) as dealer_region,
        min(sale_date) as deal_date,
        case
            when count(*) = count(net_amount_reporting) then cast(sum(net_amount_reporting) as decimal(28, 8))
        end as amount_reporting,
        min(fiscal_month_start) as fiscal_month_start
    from invoice
    group by transaction_id
),

-- An opportunity and the invoice that it names are one deal: day and amount are the invoice's.
named as (
    select
        opportunity.crm_system,
        opportunity.opportunity_id,
        document.transaction_id
    from opportunity
    inner join document on opportunity.transaction_id = document.transaction_id
),

made as (
    select
        'sale ' || transaction_id as deal_id,
        'sale' as deal_type,
        cast(null as string) as crm_system,
        cast(null as string) as opportunity_id,
        transaction_id,
        cast(null as string) as member_id,
        dealer_id,
        dealer_region as region,
        deal_date,
        amount_reporting,
        fiscal_month_start
    from document

    union all

    select
        'opportunity ' || opportunity.crm_system || ' ' || opportunity.opportunity_id as deal_id,
        'opportunity' as deal_type,
        opportunity.crm_system,
        opportunity.opportunity_id,
        cast(null as string) as transaction_id,
        opportunity_stage.member_id,
        opportunity.dealer_id,
        dealer.region,
        opportunity.closed_date as deal_date,
        opportunity.amount_reporting,
        calendar.fiscal_month_start
    from opportunity
    inner join calendar on opportunity.closed_date = calendar.date_day
    left join named
        on
            opportunity.crm_system = named.crm_system
            and opportunity.opportunity_id = named.opportunity_id
    left join opportunity_stage
        on
            opportunity.crm_system = opportunity_stage.crm_system
            and opportunity.opportunity_id = opportunity_stage.opportunity_id
            and opportunity.closed_date >= opportunity_stage.valid_from
            and opportunity.closed_date < opportunity_stage.valid_to
    left join dealer
        on
            opportunity.dealer_id = dealer.dealer_id
            and opportunity.closed_date >= dealer.valid_from
            and opportunity.closed_date < dealer.valid_to
    where named.transaction_id is null
),

-- Who worked on deals is known from the first deal that names anybody; before, all would count as done alone.
told_since as (
    select min(fiscal_month_start) as first_month_start
    from (
        select made.fiscal_month_start
        from made
        inner join participant
            on
                participant.deal_type = 'sale'
                and made.transaction_id = participant.deal_id

        union all

        select made.fiscal_month_start
        from made
        inner join participant
            on
                participant.deal_type = 'opportunity'
                and made.crm_system = participant.crm_system
                and made.opportunity_id = participant.deal_id
    ) as told
),

final as (
    select
        made.deal_id,
        made.deal_type,
        made.crm_system,
        made.opportunity_id,
        made.transaction_id,
        made.member_id,
        made.dealer_id,
        made.region,
        made.deal_date,
        made.amount_reporting,
        made.fiscal_month_start
    from made
    inner join told_since on made.fiscal_month_start >= told_since.first_month_start
)

select * from final
