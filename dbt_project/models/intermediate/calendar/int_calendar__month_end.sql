-- Grain: one row per fiscal month begun by the day of as_of.
with

fiscal_month as (
    select *
    from {{ source('config', 'fiscal_month') }}
    where
        month_start < {{ built_until() }}
        and month_start <= {{ as_of_date() }}
),

-- Of the running month it is the day of as_of that counts, not an end that is still to come.
final as (
    select
        month_start as fiscal_month_start,
        cast(fiscal_year * 12 + fiscal_month_no as bigint) as month_no,
        cast(least({{ dbt.dateadd('day', -1, 'month_end') }}, {{ as_of_date() }}) as date) as last_day,
        cast(least(month_end, {{ dbt.dateadd('day', 1, as_of_date()) }}) as date) as day_after
    from fiscal_month
)

select * from final
