select
    _delivery_id,
    _row_number,
    acceptance_id,
    plan_id,
    plan_version,
    'member' as payee_type,
    payee_id,
    presented_date,
    due_date,
    decided_date,
    outcome,
    comment
from acceptances
