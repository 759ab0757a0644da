select
    _delivery_id,
    _row_number,
    lower(deal_type) as deal_type,
    deal_id,
    crm_system,
    member_id,
    role,
    contribution_pct,
    joined_date
from deal_team
