-- Grain: one row per payment or refund, with the document and dealer that it is for.
with

payment as (
    select * from {{ ref('int_current__payment') }}
),

sale_line as (
    select * from {{ ref('fct_sale_line') }}
),

-- A refund that names the payment it gives back is for the document of that payment.
resolved as (
    select
        payment.payment_id,
        payment.payment_date,
        payment.amount,
        payment.currency_code,
        coalesce(payment.transaction_id, original.transaction_id) as transaction_id,
        coalesce(payment.dealer_id, original.dealer_id) as dealer_id
    from payment
    left join payment as original
        on
            payment.original_payment_id = original.payment_id
            and payment.currency_code = original.currency_code
),

named as (
    select transaction_id
    from resolved
    where transaction_id is not null
    group by transaction_id
),

document as (
    select
        sale_line.transaction_id,
        min(sale_line.dealer_id) as dealer_id
    from sale_line
    inner join named on sale_line.transaction_id = named.transaction_id
    group by sale_line.transaction_id
),

final as (
    select
        resolved.payment_id,
        resolved.payment_date,
        resolved.amount,
        resolved.currency_code,
        resolved.transaction_id,
        coalesce(document.dealer_id, resolved.dealer_id) as dealer_id
    from resolved
    left join document on resolved.transaction_id = document.transaction_id
)

select * from final
