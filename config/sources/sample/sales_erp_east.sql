-- East and North China. The ERP names documents in Chinese; one that is not a sale is not mapped.
select
    _delivery_id,
    _row_number,
    transaction_id,
    line_no,
    case document_type
        when '销售发票' then 'invoice'
        when '退货单' then 'return'
        when '红字贷项' then 'credit_note'
    end as transaction_type,
    case business_type when '经销' then 'sell_in' when '零售' then 'sell_out' else business_type end as channel,
    dealer_id,
    product_id,
    seller_id,
    quantity,
    unit_price_amount,
    discount_amount,
    net_amount,
    cost_amount,
    case currency when '人民币' then 'CNY' when '美元' then 'USD' when '欧元' then 'EUR' else currency end as currency_code,
    sale_date,
    due_date,
    original_transaction_id,
    original_line_no,
    case
        when document_type is not null and document_type not in ('销售发票', '退货单', '红字贷项') then 'unknown transaction type'
    end as _reject_reason
from erp_east_sales
