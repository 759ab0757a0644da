select
    _delivery_id,
    _row_number,
    acknowledgement_id,
    member_id,
    period_id,
    delivered_by_id,
    delivered_date,
    acknowledged_date,
    comment
from results
