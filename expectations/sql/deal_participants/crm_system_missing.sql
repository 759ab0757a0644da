select _row_id
from {{ batch }}
where
    not _is_deleted
    and deal_type = 'opportunity'
    and crm_system is null
