select _row_id
from {{ batch }}
where
    payee_type = 'member'
    and approved_by_id = payee_id
