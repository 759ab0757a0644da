-- Grain: one row per opportunity, fiscal month and measure.
with

month_end as (
    select * from {{ ref('int_pipeline__month_end') }}
),

opportunity as (
    select * from {{ ref('fct_opportunity') }}
),

opportunity_stage as (
    select * from {{ ref('fct_opportunity_stage') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

-- The owner of that very day, who need not be the one of today.
dated as (
    select
        opportunity.crm_system,
        opportunity.opportunity_id,
        opportunity.created_date as event_date,
        'created' as what,
        opportunity.dealer_id,
        opportunity.product_category,
        opportunity.status,
        opportunity.cycle_days,
        opportunity.amount_reporting
    from opportunity
    where opportunity.created_date is not null

    union all

    select
        opportunity.crm_system,
        opportunity.opportunity_id,
        opportunity.closed_date as event_date,
        'closed' as what,
        opportunity.dealer_id,
        opportunity.product_category,
        opportunity.status,
        opportunity.cycle_days,
        opportunity.amount_reporting
    from opportunity
    where
        opportunity.status in ('won', 'lost')
        and opportunity.closed_date <= {{ received_until() }}
),

event as (
    select
        dated.crm_system || ' ' || dated.opportunity_id as event_id,
        dated.what,
        dated.status,
        dated.cycle_days,
        dated.amount_reporting,
        member.member_id,
        dated.dealer_id,
        member.team,
        coalesce(dealer.region, member.region) as region,
        dated.product_category,
        calendar.fiscal_month_start
    from dated
    inner join calendar on dated.event_date = calendar.date_day
    left join opportunity_stage
        on
            dated.crm_system = opportunity_stage.crm_system
            and dated.opportunity_id = opportunity_stage.opportunity_id
            and dated.event_date >= opportunity_stage.valid_from
            and dated.event_date < opportunity_stage.valid_to
    left join member
        on
            opportunity_stage.member_id = member.member_id
            and dated.event_date >= member.valid_from
            and dated.event_date < {{ employed_until('member') }}
    left join dealer
        on
            dated.dealer_id = dealer.dealer_id
            and dated.event_date >= dealer.valid_from
            and dated.event_date < dealer.valid_to
),

final as (
    {% for measure_code, value, relation, condition in [
        ('opportunity_created', '1', 'event', "what = 'created'"),
        ('opportunity_closed', '1', 'event', "what = 'closed'"),
        ('opportunity_won', '1', 'event', "what = 'closed' and status = 'won'"),
        ('opportunity_closed_amount', 'amount_reporting', 'event', "what = 'closed'"),
        ('opportunity_won_amount', 'amount_reporting', 'event', "what = 'closed' and status = 'won'"),
        ('opportunity_cycle_days', 'cycle_days', 'event', "what = 'closed' and status = 'won'"),
        ('opportunity_open', '1', 'month_end', 'event_id is not null'),
        ('opportunity_open_amount', 'amount_reporting', 'month_end', 'event_id is not null'),
        ('opportunity_weighted_amount', 'weighted_amount_reporting', 'month_end', 'event_id is not null'),
        ('opportunity_stage_age_days', 'stage_age_days', 'month_end', 'event_id is not null'),
        ('opportunity_stalled', '1', 'month_end', 'is_stalled'),
        ('opportunity_with_activity', '1', 'month_end', 'has_activity'),
    ] %}
        select
            event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from {{ relation }}
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
