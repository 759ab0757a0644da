select _row_id
from {{ batch }}
where
    payment_type = 'payment'
    and amount <= 0
