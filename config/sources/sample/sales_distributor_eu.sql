-- The distributor numbers its customers itself: our code is looked up in the customer list known at receipt.
select
    sale._delivery_id,
    sale._row_number,
    sale.transaction_id,
    sale.line_no,
    case sale.document_type
        when 'Rechnung' then 'invoice'
        when 'Retoure' then 'return'
        when 'Gutschrift' then 'credit_note'
    end as transaction_type,
    'sell_in' as channel,
    customer.dealer_id,
    sale.product_id,
    sale.quantity,
    sale.unit_price_amount,
    sale.discount_amount,
    sale.net_amount,
    sale.cost_amount,
    sale.currency_code,
    sale.sale_date,
    sale.due_date,
    sale.original_transaction_id,
    sale.original_line_no,
    case
        when sale.customer_no is not null and customer.customer_no is null then 'unknown customer number'
        when sale.document_type is not null and sale.document_type not in ('Rechnung', 'Retoure', 'Gutschrift') then 'unknown transaction type'
    end as _reject_reason
from distributor_eu_sales as sale
left join eu_customers as customer on sale.customer_no = customer.customer_no
