-- Grain: one row per plan presented to a payee.
with

plan_acceptance as (
    select
        *,
        {{ winner_rank(['acceptance_id']) }} as winner_rank
    from {{ ref('stg_plan_acceptances') }}
),

final as (
    select
        acceptance_id,
        plan_id,
        plan_version,
        payee_type,
        payee_id,
        presented_date,
        due_date,
        decided_date,
        outcome,
        comment,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from plan_acceptance
    where winner_rank = 1
)

select * from final
