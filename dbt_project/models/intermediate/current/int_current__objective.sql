-- Grain: one row per objective.
with

objective as (
    select
        *,
        {{ winner_rank(['objective_id'], dated=true) }} as winner_rank
    from {{ ref('stg_objectives') }}
),

final as (
    select
        objective_id,
        objective_name,
        weight_pct,
        valid_from,
        {{ stated_end() }} as valid_to,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from objective
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
)

select * from final
