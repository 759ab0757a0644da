select
    _delivery_id,
    _row_number,
    recognition_id,
    member_id,
    award,
    awarded_date,
    given_by_id,
    value_amount,
    currency_code,
    reason
from awards
