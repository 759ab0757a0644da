select
    _delivery_id,
    _row_number,
    system,
    lower(subject_type) as subject_type,
    external_id,
    subject_id
from id_links
