select _row_id
from {{ batch }}
where
    payment_type = 'refund'
    and amount >= 0
