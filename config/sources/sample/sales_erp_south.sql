-- South and Southwest China. All of it is invoiced to dealers in CNY; the system does not know who sold.
select
    _delivery_id,
    _row_number,
    transaction_id,
    line_no,
    case document_type when '出库' then 'invoice' when '退货' then 'return' when '折让' then 'credit_note' end as transaction_type,
    'sell_in' as channel,
    dealer_id,
    product_id,
    quantity,
    unit_price_amount,
    discount_amount,
    net_amount,
    cost_amount,
    'CNY' as currency_code,
    sale_date,
    original_transaction_id,
    original_line_no,
    case
        when document_type is not null and document_type not in ('出库', '退货', '折让') then 'unknown transaction type'
    end as _reject_reason
from erp_south_sales
