-- Grain: one row per fiscal period begun.
{{ remembered('period_id') }}
with

population as (
    select
        period_id,
        {{ fingerprint(['subject_type', 'subject_id']) }} as fingerprint
    from {{ ref('int_kpi__population') }}
    group by period_id
),

period_state as (
    select * from {{ ref('int_measure__period_state') }}
),

stated as (
    select
        period_state.period_id,
        period_state.fingerprint || '|' || coalesce(population.fingerprint, '') as fingerprint
    from period_state
    left join population on period_state.period_id = population.period_id
),

final as (
    {{ changes_since_before('period_id') }}
)

select * from final
