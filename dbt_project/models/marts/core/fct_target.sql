-- Grain: one row per target.
with

target as (
    select * from {{ ref('int_current__target') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

final as (
    select
        target.target_id,
        target.subject_type,
        target.subject_id,
        target.metric,
        target.product_category,
        target.valid_from,
        target.valid_to,
        calendar.fiscal_month_start,
        target.target_value,
        target.unit,
        target.objective_id,
        target.weight_pct,
        target._source,
        target._source_file,
        target._delivery_id,
        target._row_number,
        target._row_part,
        target._received_date
    from target
    left join calendar on target.valid_from = calendar.date_day
)

select * from final
