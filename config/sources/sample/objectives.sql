select
    _delivery_id,
    _row_number,
    objective_id,
    objective_name,
    weight_pct,
    valid_from,
    valid_to
from objectives
