-- Grain: one row per activity of a CRM system.
with

activity as (
    select
        *,
        {{ winner_rank(['crm_system', 'activity_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_crm_activities') }}
),

-- What was planned was in the CRM before its day.
seen as (
    select
        crm_system,
        activity_id,
        min(updated_at) as first_updated_at
    from {{ ref('stg_crm_activities') }}
    where not _is_deleted
    group by crm_system, activity_id
),

final as (
    select
        activity.crm_system,
        activity.activity_id,
        activity.updated_at,
        seen.first_updated_at,
        activity.kind,
        activity.account_id,
        activity.opportunity_id,
        activity.user_id,
        activity.subject,
        activity.occurred_at,
        activity.completed_at,
        activity.duration_minutes,
        activity._source,
        activity._source_file,
        activity._delivery_id,
        activity._row_number,
        activity._row_part,
        activity._received_date
    from activity
    inner join seen
        on
            activity.crm_system = seen.crm_system
            and activity.activity_id = seen.activity_id
    where activity.winner_rank = 1
)

select * from final
