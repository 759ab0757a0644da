-- Grain: one row per day of the fiscal calendar.
with

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

weekday as (
    select * from {{ source('config', 'calendar_weekday') }}
),

exception_day as (
    select * from {{ source('config', 'calendar_exception') }}
),

listed as (
    {{ day_spine('fiscal_month', 'month_start', 'month_end') }}
),

-- 2001-01-01 was a Monday; days before it would have a negative rest.
numbered as (
    select
        date_day,
        (({{ dbt.datediff("cast('2001-01-01' as date)", 'date_day', 'day') }}) % 7 + 7) % 7 as weekday_no
    from listed
),

worked as (
    select
        numbered.date_day,
        numbered.weekday_no,
        coalesce(exception_day.is_working_day, weekday.is_working_day) as is_working_day,
        exception_day.day_name,
        exception_day.day_name_zh
    from numbered
    inner join weekday on numbered.weekday_no = weekday.weekday_no
    left join exception_day on numbered.date_day = exception_day.date_day
),

final as (
    select
        worked.date_day,
        fiscal_month.month_start as fiscal_month_start,
        worked.is_working_day,
        cast(
            sum(case when worked.is_working_day then 1 else 0 end) over (order by worked.date_day nulls last) as bigint
        ) as working_day_no,
        worked.day_name,
        worked.day_name_zh
    from worked
    inner join fiscal_month
        on
            worked.date_day >= fiscal_month.month_start
            and worked.date_day < fiscal_month.month_end
)

select * from final
