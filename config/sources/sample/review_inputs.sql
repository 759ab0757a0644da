-- The tool knows one scale; a rating on another one cannot be read.
select
    _delivery_id,
    _row_number,
    review_input_id,
    member_id,
    period_id,
    rater_type,
    rater_id,
    criterion,
    case scale when '1-5' then 1 end as scale_min,
    case scale when '1-5' then 5 end as scale_max,
    score,
    comment,
    submitted_date,
    case when scale is not null and scale <> '1-5' then 'unknown scale' end as _reject_reason
from ratings
