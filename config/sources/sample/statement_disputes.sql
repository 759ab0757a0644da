select
    _delivery_id,
    _row_number,
    dispute_id,
    'member' as payee_type,
    payee_id,
    plan_id,
    period_id,
    disputed_amount,
    currency_code,
    opened_date,
    due_date,
    decided_date,
    decided_by_id,
    outcome,
    reason
from disputes
