select _row_id
from {{ batch }}
where
    transaction_id is null
    and original_payment_id is null
    and dealer_id is null
