-- North America and Southeast Asia. Document types that are not known here pass as they are, for the checks to judge.
select
    _delivery_id,
    _row_number,
    transaction_id,
    line_no,
    case document_type when 'INV' then 'invoice' when 'RET' then 'return' when 'CRN' then 'credit_note' else document_type end as transaction_type,
    'sell_in' as channel,
    dealer_id,
    product_id,
    seller_id,
    quantity,
    unit_price_amount,
    discount_amount,
    net_amount,
    cost_amount,
    currency_code,
    sale_date,
    due_date,
    original_transaction_id,
    original_line_no
from distributor_us_sales
