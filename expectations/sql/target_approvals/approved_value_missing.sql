select _row_id
from {{ batch }}
where
    outcome = 'changed'
    and approved_value is null
