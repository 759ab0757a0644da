select
    _delivery_id,
    _row_number,
    response_id,
    survey,
    scale_min,
    scale_max,
    respondent_id,
    dealer_id,
    member_id,
    case_id,
    sent_date,
    answered_date,
    score,
    comment
from surveys
