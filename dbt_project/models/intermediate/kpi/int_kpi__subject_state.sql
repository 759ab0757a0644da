-- Grain: one row per fiscal period begun.
with

value_state as (
    select * from {{ ref('int_kpi__value_state') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

-- A period is shown beside the one before it and that of last year.
final as (
    select
        value_state.period_id,
        value_state.is_changed
        or coalesce(previous_state.is_changed, false)
        or coalesce(last_year_state.is_changed, false) as is_changed
    from value_state
    inner join period on value_state.period_id = period.period_id
    left join value_state as previous_state on period.previous_period_id = previous_state.period_id
    left join value_state as last_year_state on period.last_year_period_id = last_year_state.period_id
)

select * from final
