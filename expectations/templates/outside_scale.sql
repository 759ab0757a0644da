-- Rows whose `column` lies outside the scale that the row itself states.
select _row_id
from {{ batch }}
where
    {{ column }} < scale_min
    or {{ column }} > scale_max
