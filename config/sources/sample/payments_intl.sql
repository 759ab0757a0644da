select
    _delivery_id,
    _row_number,
    payment_id,
    transaction_id,
    case payment_type when 'Zahlung' then 'payment' when 'Rücklastschrift' then 'refund' else payment_type end as payment_type,
    amount,
    currency_code,
    payment_date
from payments_intl
