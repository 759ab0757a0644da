-- Grain: one row per activity of a CRM system.
with

activity as (
    select * from {{ ref('int_current__crm_activity') }}
),

opportunity as (
    select * from {{ ref('fct_opportunity') }}
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

dated as (
    select
        activity.crm_system,
        activity.activity_id,
        activity.updated_at,
        activity.kind,
        activity.account_id,
        activity.opportunity_id,
        activity.user_id,
        activity.subject,
        activity.occurred_at,
        activity.completed_at,
        activity.duration_minutes,
        {{ local_date('activity.occurred_at', 'company.time_zone') }} as occurred_date,
        {{ local_date('activity.first_updated_at', 'company.time_zone') }} as first_seen_date,
        -- A task is done when somebody says so; anything else takes place when it does.
        {{ local_date('activity.occurred_at', 'company.time_zone') }} <= {{ received_until() }}
        and (activity.kind <> 'task' or activity.completed_at is not null) as is_done,
        activity._source,
        activity._source_file,
        activity._delivery_id,
        activity._row_number,
        activity._row_part,
        activity._received_date
    from activity
    cross join company
),

final as (
    select
        dated.crm_system,
        dated.activity_id,
        dated.updated_at,
        dated.kind,
        dated.account_id,
        coalesce(dealer_link.dealer_id, opportunity.dealer_id) as dealer_id,
        dated.opportunity_id,
        dated.user_id,
        member_link.member_id,
        dated.subject,
        dated.occurred_at,
        dated.occurred_date,
        calendar.fiscal_month_start,
        dated.first_seen_date,
        dated.completed_at,
        dated.is_done,
        dated.duration_minutes,
        dated._source,
        dated._source_file,
        dated._delivery_id,
        dated._row_number,
        dated._row_part,
        dated._received_date
    from dated
    left join calendar on dated.occurred_date = calendar.date_day
    left join opportunity
        on
            dated.crm_system = opportunity.crm_system
            and dated.opportunity_id = opportunity.opportunity_id
    left join member_link
        on
            dated.crm_system = member_link.system
            and dated.user_id = member_link.external_id
    left join dealer_link
        on
            dated.crm_system = dealer_link.system
            and dated.account_id = dealer_link.external_id
)

select * from final
