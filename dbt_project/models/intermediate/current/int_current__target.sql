-- Grain: one row per target.
with

target as (
    select
        *,
        {{ winner_rank(['target_id']) }} as winner_rank
    from {{ ref('stg_targets') }}
),

final as (
    select
        target_id,
        subject_type,
        subject_id,
        metric,
        product_category,
        valid_from,
        valid_to,
        target_value,
        unit,
        objective_id,
        weight_pct,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from target
    where winner_rank = 1
)

select * from final
