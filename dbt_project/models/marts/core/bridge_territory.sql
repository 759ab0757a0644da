-- Grain: one row per territory, dealer or member in it, and validity window.
with

territory as (
    select * from {{ ref('int_history__territory') }}
),

final as (
    select
        territory_id,
        territory_name,
        region,
        subject_type,
        subject_id,
        valid_from,
        valid_to,
        share_pct,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from territory
)

select * from final
