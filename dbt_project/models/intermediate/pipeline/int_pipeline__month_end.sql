-- Grain: one row per opportunity and fiscal month at whose end it is open.
with

opportunity_stage as (
    select * from {{ ref('fct_opportunity_stage') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

crm_rule as (
    select * from {{ source('config', 'crm_rule') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

activity_day as (
    select * from {{ ref('int_pipeline__activity_day') }}
),

opportunity as (
    select * from {{ ref('fct_opportunity') }}
),

-- A running month is stated of the last day that was received.
month_end as (
    select
        month_start as fiscal_month_start,
        least(cast({{ dbt.dateadd('day', -1, 'month_end') }} as date), {{ received_until() }}) as balance_date
    from fiscal_month
    where
        month_start < {{ built_until() }}
        and month_start <= {{ received_until() }}
),

open_at_end as (
    select
        opportunity_stage.crm_system,
        opportunity_stage.opportunity_id,
        month_end.fiscal_month_start,
        month_end.balance_date,
        opportunity_stage.member_id,
        opportunity_stage.dealer_id,
        opportunity_stage.product_category,
        opportunity_stage.stage,
        opportunity_stage.stage_since_date,
        opportunity_stage.amount,
        opportunity_stage.currency_code,
        opportunity_stage.probability_pct,
        opportunity_stage.expected_close_date
    from opportunity_stage
    inner join month_end
        on
            opportunity_stage.valid_from <= month_end.balance_date
            and opportunity_stage.valid_to > month_end.balance_date
    where opportunity_stage.status = 'open'
),

-- What was done by then, and what was planned then for later.
worked as (
    select
        open_at_end.crm_system,
        open_at_end.opportunity_id,
        open_at_end.fiscal_month_start,
        max(activity_day.activity_date) filter (
            where activity_day.is_done and activity_day.activity_date <= open_at_end.balance_date
        ) as last_activity_date,
        max(activity_day.activity_date) filter (
            where activity_day.activity_date > open_at_end.balance_date
        ) as planned_activity_date
    from open_at_end
    inner join activity_day
        on
            open_at_end.crm_system = activity_day.crm_system
            and open_at_end.opportunity_id = activity_day.opportunity_id
            and open_at_end.balance_date >= activity_day.first_seen_date
    group by open_at_end.crm_system, open_at_end.opportunity_id, open_at_end.fiscal_month_start
),

final as (
    select
        open_at_end.crm_system,
        open_at_end.opportunity_id,
        open_at_end.crm_system || ' ' || open_at_end.opportunity_id as event_id,
        open_at_end.balance_date,
        -- Who has left owns nothing any more.
        member.member_id,
        open_at_end.dealer_id,
        member.team,
        coalesce(dealer.region, member.region) as region,
        open_at_end.product_category,
        open_at_end.stage,
        open_at_end.expected_close_date,
        {{ multiply('open_at_end.amount', 'market_rate.rate') }} as amount_reporting,
        {{ multiply('open_at_end.amount', 'plan_rate.rate') }} as amount_plan,
        {{ multiply(multiply('open_at_end.amount', 'market_rate.rate'), 'open_at_end.probability_pct * 0.01') }}
            as weighted_amount_reporting,
        {{ dbt.datediff('open_at_end.stage_since_date', 'open_at_end.balance_date', 'day') }} as stage_age_days,
        greatest(opportunity.opened_date, coalesce(worked.last_activity_date, opportunity.opened_date))
        <= {{ dbt.dateadd('day', '-1 * crm_rule.stalled_days', 'open_at_end.balance_date') }} as is_stalled,
        coalesce(
            worked.planned_activity_date is not null
            or worked.last_activity_date
            > {{ dbt.dateadd('day', '-1 * crm_rule.stalled_days', 'open_at_end.balance_date') }}, false
        ) as has_activity,
        open_at_end.fiscal_month_start
    from open_at_end
    cross join company
    cross join crm_rule
    inner join opportunity
        on
            open_at_end.crm_system = opportunity.crm_system
            and open_at_end.opportunity_id = opportunity.opportunity_id
    left join worked
        on
            open_at_end.crm_system = worked.crm_system
            and open_at_end.opportunity_id = worked.opportunity_id
            and open_at_end.fiscal_month_start = worked.fiscal_month_start
    left join member
        on
            open_at_end.member_id = member.member_id
            and open_at_end.balance_date >= member.valid_from
            and open_at_end.balance_date < {{ employed_until('member') }}
    left join dealer
        on
            open_at_end.dealer_id = dealer.dealer_id
            and open_at_end.balance_date >= dealer.valid_from
            and open_at_end.balance_date < dealer.valid_to
    left join day_rate as market_rate
        on
            open_at_end.currency_code = market_rate.currency_code
            and open_at_end.balance_date = market_rate.date_day
            and company.fx_rate_type = market_rate.rate_type
    left join day_rate as plan_rate
        on
            open_at_end.currency_code = plan_rate.currency_code
            and open_at_end.balance_date = plan_rate.date_day
            and company.plan_fx_rate_type = plan_rate.rate_type
)

select * from final
