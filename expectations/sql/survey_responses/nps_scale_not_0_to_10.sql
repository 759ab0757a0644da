select _row_id
from {{ batch }}
where
    survey = 'nps'
    and (scale_min <> 0 or scale_max <> 10)
