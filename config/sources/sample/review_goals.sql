select
    _delivery_id,
    _row_number,
    goal_id,
    updated_at,
    member_id,
    period_id,
    parent_goal_id,
    criterion,
    goal_title,
    progress_pct,
    status,
    agreed_date
from goals
