-- Grain: one row per scenario and length of period of which any is closed: the first that is open.
with

closed_period as (
    select * from {{ source('closed', 'period') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

closed_until as (
    select
        closed_period.scenario_id,
        period.period_type,
        max(period.period_end) as open_from
    from closed_period
    inner join period on closed_period.period_id = period.period_id
    group by closed_period.scenario_id, period.period_type
),

final as (
    select
        closed_until.scenario_id,
        closed_until.period_type,
        closed_until.open_from,
        period.period_id
    from closed_until
    left join period
        on
            closed_until.period_type = period.period_type
            and closed_until.open_from = period.period_start
)

select * from final
