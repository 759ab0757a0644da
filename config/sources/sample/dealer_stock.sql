select
    _delivery_id,
    _row_number,
    dealer_id,
    product_id,
    as_of_date,
    on_hand_quantity
from dealer_stock
