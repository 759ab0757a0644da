select _row_id
from {{ batch }}
where helper_id = member_id
