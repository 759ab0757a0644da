-- Grain: one row per feed of dated events and fiscal month with any delivered or missing.
with

coverage as (
    select * from {{ ref('int_kpi__feed_coverage') }}
),

final as (
    select
        feed,
        fiscal_month_start,
        count(*) filter (where is_delivered) as delivered_source_count,
        count(*) filter (where is_hole) as missing_source_count,
        bool_or(is_delivered) and not bool_or(is_hole) as is_covered
    from coverage
    group by feed, fiscal_month_start
)

select * from final
