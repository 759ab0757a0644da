select _row_id
from {{ batch }}
where
    from_currency_code = to_currency_code
    and rate <> 1
