-- Grain: one row per change of an opportunity's stage.
with

change as (
    select
        *,
        {{ winner_rank(['crm_system', 'stage_change_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_crm_stage_changes') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

final as (
    select
        change.crm_system,
        change.stage_change_id,
        change.opportunity_id,
        change.user_id,
        change.from_stage,
        change.to_stage,
        change.changed_at,
        change.logged_at,
        {{ local_date('change.changed_at', 'company.time_zone') }} as changed_date,
        {{ local_date('change.logged_at', 'company.time_zone') }} as logged_date,
        change.amount,
        change.currency_code,
        change.probability_pct,
        change.expected_close_date
    from change
    cross join company
    where change.winner_rank = 1
)

select * from final
