select _row_id
from {{ batch }}
where
    not _is_deleted
    and amount is null
    and quantity is null
    and price_index is null
