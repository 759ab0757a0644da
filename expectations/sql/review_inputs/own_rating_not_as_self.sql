select _row_id
from {{ batch }}
where
    rater_type <> 'self'
    and rater_id = member_id
