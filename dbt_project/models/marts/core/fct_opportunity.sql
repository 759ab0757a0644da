-- Grain: one row per opportunity of a CRM system.
with

opportunity as (
    select *
    from {{ ref('int_history__crm_opportunity') }}
    where is_latest
),

version as (
    select
        crm_system,
        opportunity_id,
        min(valid_from) as first_seen_date
    from {{ ref('int_history__crm_opportunity') }}
    group by crm_system, opportunity_id
),

stage_change as (
    select
        *,
        row_number() over (
            partition by crm_system, opportunity_id
            order by changed_at asc nulls last, from_stage asc nulls first, stage_change_id asc nulls last
        ) as change_no
    from {{ ref('int_current__crm_stage_change') }}
),

-- The first change is the entry where it comes from no stage; one that comes from a stage found the opportunity there.
change as (
    select
        crm_system,
        opportunity_id,
        changed_date as first_changed_date,
        case when from_stage is null then changed_date end as entered_date
    from stage_change
    where change_no = 1
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

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

-- The last day that is known: of what is open, the amount is worth what it is then.
known as (
    select least({{ received_until() }}, max(date_day)) as known_date
    from calendar
),

placed as (
    select
        opportunity.*,
        member_link.member_id,
        dealer_link.dealer_id,
        company.fx_rate_type,
        coalesce({{ local_date('opportunity.created_at', 'company.time_zone') }}, change.entered_date) as created_date,
        least(
            coalesce({{ local_date('opportunity.created_at', 'company.time_zone') }}, change.first_changed_date, version.first_seen_date),
            coalesce(change.first_changed_date, {{ open_end() }}),
            coalesce(opportunity.closed_date, {{ open_end() }})
        ) as opened_date,
        coalesce(opportunity.closed_date, known.known_date) as rate_date
    from opportunity
    cross join company
    cross join known
    inner join version
        on
            opportunity.crm_system = version.crm_system
            and opportunity.opportunity_id = version.opportunity_id
    left join change
        on
            opportunity.crm_system = change.crm_system
            and opportunity.opportunity_id = change.opportunity_id
    left join member_link
        on
            opportunity.crm_system = member_link.system
            and opportunity.owner_user_id = member_link.external_id
    left join dealer_link
        on
            opportunity.crm_system = dealer_link.system
            and opportunity.account_id = dealer_link.external_id
),

final as (
    select
        placed.crm_system,
        placed.opportunity_id,
        placed.updated_at,
        placed.opportunity_name,
        placed.account_id,
        placed.dealer_id,
        placed.owner_user_id,
        placed.member_id,
        placed.pipeline,
        placed.stage,
        placed.status,
        placed.product_category,
        placed.created_date,
        placed.opened_date,
        placed.expected_close_date,
        placed.closed_date,
        {{ dbt.datediff('placed.created_date', 'placed.closed_date', 'day') }} as cycle_days,
        placed.amount,
        placed.currency_code,
        {{ multiply('placed.amount', 'day_rate.rate') }} as amount_reporting,
        placed.probability_pct,
        placed.last_activity_at,
        placed.loss_reason,
        placed.transaction_id,
        placed._source,
        placed._source_file,
        placed._delivery_id,
        placed._row_number,
        placed._row_part,
        placed._received_date
    from placed
    left join day_rate
        on
            placed.currency_code = day_rate.currency_code
            and placed.rate_date = day_rate.date_day
            and placed.fx_rate_type = day_rate.rate_type
)

select * from final
