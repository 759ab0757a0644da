select
    _delivery_id,
    _row_number,
    record_id,
    updated_at,
    course_id,
    member_id,
    dealer_id,
    dealer_employee_id,
    assigned_date,
    due_date,
    started_date,
    completed_date,
    score,
    is_passed,
    cost_amount,
    currency_code
from training
