select _row_id
from {{ batch }}
where
    kind in ('promotion', 'grade_change')
    and to_grade is null
