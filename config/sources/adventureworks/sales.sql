-- Lines of invoices to dealers. All amounts are US dollars whatever CurrencyKey says: every product costs the same
-- number in all five currencies, and the published totals add them (docs/decisions/adventureworks.md).
select
    _delivery_id,
    _row_number,
    SalesOrderNumber as transaction_id,
    SalesOrderLineNumber as line_no,
    'invoice' as transaction_type,
    'sell_in' as channel,
    ResellerKey as dealer_id,
    ProductKey as product_id,
    EmployeeKey as seller_id,
    OrderQuantity as quantity,
    UnitPrice as unit_price_amount,
    DiscountAmount as discount_amount,
    SalesAmount as net_amount,
    TotalProductCost as cost_amount,
    'USD' as currency_code,
    OrderDate as sale_date,
    DueDate as due_date,
from fact_reseller_sales
