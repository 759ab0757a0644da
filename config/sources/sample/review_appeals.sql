select
    _delivery_id,
    _row_number,
    appeal_id,
    member_id,
    period_id,
    criterion,
    reason,
    submitted_date,
    due_date,
    decided_date,
    decided_by_id,
    outcome,
    score_before,
    score_after
from appeals
