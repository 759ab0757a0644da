select _row_id
from {{ batch }}
where
    status = 'open'
    and closed_date is not null
