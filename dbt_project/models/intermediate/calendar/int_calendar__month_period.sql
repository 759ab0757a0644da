-- Grain: one row per fiscal month begun and fiscal period that holds it.
with

fiscal_month as (
    select *
    from {{ source('config', 'fiscal_month') }}
    where month_start < {{ built_until() }}
),

period as (
    select * from {{ ref('dim_period') }}
),

final as (
    select
        fiscal_month.month_start as fiscal_month_start,
        period.period_id,
        period.period_type,
        period.period_start,
        period.period_end,
        fiscal_month.month_start
        = max(fiscal_month.month_start) over (partition by period.period_id) as is_last_month
    from fiscal_month
    inner join period
        on
            fiscal_month.month_start >= period.period_start
            and fiscal_month.month_start < period.period_end
)

select * from final
