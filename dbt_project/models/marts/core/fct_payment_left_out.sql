-- Grain: one row per accepted row of the feed of payments that is not in fct_payment.
select
    payment_id,
    transaction_id,
    dealer_id,
    payment_date,
    amount,
    currency_code,
    left_out_reason,
    _source,
    _source_file,
    _delivery_id,
    _row_number,
    _row_part,
    _received_date
from {{ ref('int_current__payment_left_out') }}
