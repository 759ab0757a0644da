-- Grain: one row per warehouse: the fiscal months between the first and the last that hold any sale line.
with

dealer_month as (
    select * from {{ ref('int_sales__dealer_month') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

final as (
    select
        min(fiscal_month.month_start) as covered_from,
        max(fiscal_month.month_end) as covered_to
    from dealer_month
    inner join fiscal_month on dealer_month.fiscal_month_start = fiscal_month.month_start
)

select * from final
