select
    _delivery_id,
    _row_number,
    request_id,
    coalesce(cast(timezone('UTC', try_cast(updated_at as timestamptz)) as varchar), updated_at) as updated_at,
    member_id,
    dealer_id,
    kind,
    assignee_id,
    coalesce(cast(timezone('UTC', try_cast(opened_at as timestamptz)) as varchar), opened_at) as opened_at,
    coalesce(cast(timezone('UTC', try_cast(first_response_at as timestamptz)) as varchar), first_response_at) as first_response_at,
    coalesce(cast(timezone('UTC', try_cast(closed_at as timestamptz)) as varchar), closed_at) as closed_at,
    scale_min,
    scale_max,
    rating
from requests
