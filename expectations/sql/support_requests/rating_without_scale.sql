select _row_id
from {{ batch }}
where
    rating is not null
    and (scale_min is null or scale_max is null)
