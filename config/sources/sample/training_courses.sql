select
    _delivery_id,
    _row_number,
    course_id,
    course_name,
    topic,
    is_mandatory,
    hours
from courses
