-- Grain: one row per fiscal month begun: the day before which it is looked at.
with

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

-- A month that is not over is looked at as the day of as_of begins: what is due on that day is not overdue yet.
final as (
    select
        month_start as fiscal_month_start,
        least(month_end, {{ as_of_date() }}) as until_date,
        cast({{ dbt.dateadd('day', -1, 'least(month_end, ' ~ as_of_date() ~ ')') }} as date) as last_day,
        cast({{ dbt.dateadd('day', -90, 'least(month_end, ' ~ as_of_date() ~ ')') }} as date) as ninety_days_before
    from fiscal_month
    where
        month_start < {{ built_until() }}
        and month_start < {{ as_of_date() }}
)

select * from final
