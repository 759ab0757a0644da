select
    _delivery_id,
    _row_number,
    adjustment_id,
    payee_type,
    payee_id,
    plan_id,
    effective_date,
    amount,
    currency_code,
    reason,
    requested_by_id,
    approved_by_id,
    approved_date
from adjustments
