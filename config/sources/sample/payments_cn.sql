-- The Chinese ERPs' receipts. A bill of exchange that bounces comes back as 退票.
select
    _delivery_id,
    _row_number,
    payment_id,
    transaction_id,
    original_payment_id,
    dealer_id,
    case payment_type when '收款' then 'payment' when '退票' then 'refund' else payment_type end as payment_type,
    amount,
    case currency when '人民币' then 'CNY' when '美元' then 'USD' when '欧元' then 'EUR' else currency end as currency_code,
    payment_date,
    method
from payments_cn
