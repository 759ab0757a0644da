-- Grain: one row per payment or refund.
with

payment as (
    select
        *,
        {{ winner_rank(['payment_id']) }} as winner_rank
    from {{ ref('stg_payments') }}
),

final as (
    select
        payment_id,
        transaction_id,
        original_payment_id,
        dealer_id,
        payment_type,
        amount,
        currency_code,
        payment_date,
        method,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from payment
    where
        winner_rank = 1
        and payment_date < {{ built_until() }}
)

select * from final
