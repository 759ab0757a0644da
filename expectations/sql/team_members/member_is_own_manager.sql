select _row_id
from {{ batch }}
where manager_id = member_id
