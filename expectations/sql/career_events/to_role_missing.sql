select _row_id
from {{ batch }}
where
    kind = 'role_change'
    and to_role is null
