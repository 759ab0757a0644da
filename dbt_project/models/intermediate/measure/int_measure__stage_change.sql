-- Grain: one row per change of an opportunity's stage and measure.
with

stage_change as (
    select * from {{ ref('int_current__crm_stage_change') }}
),

opportunity as (
    select * from {{ ref('fct_opportunity') }}
),

member_link as (
    select * from {{ ref('int_link__member') }}
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

crm_rule as (
    select * from {{ source('config', 'crm_rule') }}
),

placed as (
    select
        stage_change.crm_system || ' ' || stage_change.stage_change_id as event_id,
        member.member_id,
        opportunity.dealer_id,
        member.team,
        coalesce(dealer.region, member.region) as region,
        opportunity.product_category,
        changed_day.fiscal_month_start,
        changed_day.working_day_no + crm_rule.stage_logged_days >= logged_day.working_day_no as is_in_time
    from stage_change
    cross join crm_rule
    inner join calendar as changed_day on stage_change.changed_date = changed_day.date_day
    -- A CRM that does not say when a change was entered says nothing of its delay.
    inner join calendar as logged_day on stage_change.logged_date = logged_day.date_day
    left join opportunity
        on
            stage_change.crm_system = opportunity.crm_system
            and stage_change.opportunity_id = opportunity.opportunity_id
    left join member_link
        on
            stage_change.crm_system = member_link.system
            and stage_change.user_id = member_link.external_id
    left join member
        on
            member_link.member_id = member.member_id
            and stage_change.changed_date >= member.valid_from
            and stage_change.changed_date < {{ employed_until('member') }}
    left join dealer
        on
            opportunity.dealer_id = dealer.dealer_id
            and stage_change.changed_date >= dealer.valid_from
            and stage_change.changed_date < dealer.valid_to
),

final as (
    {% for measure_code, condition in [
        ('stage_changed', 'event_id is not null'),
        ('stage_logged_in_time', 'is_in_time'),
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
            cast(1 as decimal(18, 8)) as value
        from placed
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
