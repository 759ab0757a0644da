select _row_id
from {{ batch }}
where requested_by_id = approved_by_id
