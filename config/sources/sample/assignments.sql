select
    _delivery_id,
    _row_number,
    dealer_id,
    member_id,
    role,
    valid_from,
    valid_to,
    split_pct
from assignments
