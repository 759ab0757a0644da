select
    _delivery_id,
    _row_number,
    plan_assignment_id,
    payee_type,
    payee_id,
    plan_id,
    target_pay_amount,
    currency_code,
    valid_from,
    valid_to
from plan_assignments
