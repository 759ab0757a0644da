select _row_id
from {{ batch }}
where
    not _is_deleted
    and member_id is null
    and dealer_id is null
