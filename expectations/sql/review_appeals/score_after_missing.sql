select _row_id
from {{ batch }}
where
    outcome in ('granted', 'partly_granted')
    and score_after is null
