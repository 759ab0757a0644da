select _row_id
from {{ batch }}
where
    status in ('won', 'lost')
    and closed_date is null
