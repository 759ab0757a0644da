select _row_id
from {{ batch }}
where
    not _is_deleted
    and transaction_id is null
    and original_payment_id is null
    and dealer_id is null
