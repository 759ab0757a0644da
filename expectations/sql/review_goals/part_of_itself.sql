select _row_id
from {{ batch }}
where parent_goal_id = goal_id
