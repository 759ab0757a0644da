-- Grain: one row per adjustment.
with

adjustment as (
    select
        *,
        {{ winner_rank(['adjustment_id']) }} as winner_rank
    from {{ ref('stg_adjustments') }}
),

final as (
    select
        adjustment_id,
        payee_type,
        payee_id,
        plan_id,
        effective_date,
        amount,
        currency_code,
        reason,
        requested_by_id,
        approved_by_id,
        approved_date,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from adjustment
    where winner_rank = 1
)

select * from final
