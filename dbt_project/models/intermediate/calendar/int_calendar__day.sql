-- Grain: one row per day of the fiscal calendar.
with

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

day as (
    {{ day_spine(source('config', 'fiscal_month'), 'month_start', 'month_end') }}
),

final as (
    select
        day.date_day,
        fiscal_month.month_start as fiscal_month_start
    from day
    inner join fiscal_month
        on
            day.date_day >= fiscal_month.month_start
            and day.date_day < fiscal_month.month_end
)

select * from final
