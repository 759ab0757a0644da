select
    _delivery_id,
    _row_number,
    approval_id,
    target_id,
    approver_id,
    submitted_date,
    decided_date,
    outcome,
    submitted_value,
    approved_value,
    comment
from target_approvals
