select _row_id
from {{ batch }}
where
    about_type <> 'company'
    and about_id is null
