select
    _delivery_id,
    _row_number,
    product_id,
    valid_from,
    valid_to,
    product_name,
    category,
    subcategory,
    brand,
    unit,
    currency_code,
    list_price_amount,
    standard_cost_amount
from products
