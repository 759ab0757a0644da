select _row_id
from {{ batch }}
where
    audience_type <> 'company'
    and audience_id is null
