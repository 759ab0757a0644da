-- Grain: one row per dispute about a statement.
with

statement_dispute as (
    select
        *,
        {{ winner_rank(['dispute_id']) }} as winner_rank
    from {{ ref('stg_statement_disputes') }}
),

final as (
    select
        dispute_id,
        payee_type,
        payee_id,
        plan_id,
        period_id,
        disputed_amount,
        currency_code,
        opened_date,
        due_date,
        decided_date,
        decided_by_id,
        outcome,
        reason,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from statement_dispute
    where winner_rank = 1
)

select * from final
