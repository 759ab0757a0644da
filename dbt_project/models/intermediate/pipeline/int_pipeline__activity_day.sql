-- Grain: one row per opportunity, day of an activity and day from which it is known.
with

activity as (
    select * from {{ ref('fct_activity') }}
),

version as (
    select * from {{ ref('int_history__crm_opportunity') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

-- A CRM whose activities are not delivered still says when the last one was.
listed as (
    select
        crm_system,
        opportunity_id,
        occurred_date as activity_date,
        least(first_seen_date, occurred_date) as first_seen_date,
        kind <> 'task' or completed_at is not null as is_done
    from activity
    where opportunity_id is not null

    union all

    select
        version.crm_system,
        version.opportunity_id,
        {{ local_date('version.last_activity_at', 'company.time_zone') }} as activity_date,
        {{ local_date('version.last_activity_at', 'company.time_zone') }} as first_seen_date,
        true as is_done
    from version
    cross join company
    where version.last_activity_at is not null
),

final as (
    select
        crm_system,
        opportunity_id,
        activity_date,
        first_seen_date,
        bool_or(is_done) as is_done
    from listed
    group by crm_system, opportunity_id, activity_date, first_seen_date
)

select * from final
