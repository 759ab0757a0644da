select
    _delivery_id,
    _row_number,
    rate_date,
    from_currency_code,
    to_currency_code,
    case rate_type when '市场' then 'market' when '计划' then 'plan' else rate_type end as rate_type,
    rate
from fx
