select _row_id
from {{ batch }}
where decided_by_id = member_id
