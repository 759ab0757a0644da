-- Grain: one row per fiscal period begun.
with

event_state as (
    select * from {{ ref('int_measure__event_state') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
),

-- A month that begins is changed itself, and so are the quarter and year that it becomes the last month of.
final as (
    select
        month_period.period_id,
        {{ fingerprint(['event_state.fiscal_month_start', 'event_state.fingerprint']) }} as fingerprint,
        bool_or(event_state.is_changed) as is_changed
    from month_period
    inner join event_state on month_period.fiscal_month_start = event_state.fiscal_month_start
    group by month_period.period_id
)

select * from final
