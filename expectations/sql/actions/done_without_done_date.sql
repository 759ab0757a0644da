select _row_id
from {{ batch }}
where
    outcome = 'done'
    and done_date is null
