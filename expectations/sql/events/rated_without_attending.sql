select _row_id
from {{ batch }}
where
    not is_attended
    and rating is not null
