-- Grain: one row per company objective.
with

objective as (
    select * from {{ ref('int_current__objective') }}
),

final as (
    select
        objective_id,
        objective_name,
        weight_pct,
        valid_from,
        valid_to,
        valid_from <= {{ as_of_date() }} and valid_to > {{ as_of_date() }} as is_current,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from objective
    -- One that ends before it begins was never in force.
    where valid_to > valid_from
)

select * from final
