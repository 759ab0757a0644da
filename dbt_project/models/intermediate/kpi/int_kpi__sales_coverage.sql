-- Grain: one row per warehouse: the span from the first to the last fiscal month that sales cover.
with

feed_month as (
    select *
    from {{ ref('int_kpi__feed_month') }}
    where
        feed = 'sales'
        and is_covered
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

final as (
    select
        min(fiscal_month.month_start) as covered_from,
        max(fiscal_month.month_end) as covered_to
    from feed_month
    inner join fiscal_month on feed_month.fiscal_month_start = fiscal_month.month_start
)

select * from final
