select
    _delivery_id,
    _row_number,
    action_id,
    updated_at,
    replace(lower(kind), ' ', '_') as kind,
    proposed_by_type,
    proposed_by_id,
    owner_id,
    about_type,
    about_id,
    text,
    agreed_date,
    due_date,
    answered_date,
    done_date,
    outcome
from actions
