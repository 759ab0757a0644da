-- US dollars for one unit of the currency; the day's average stands for all sales of the day.
select
    f._delivery_id,
    f._row_number,
    f.Date as rate_date,
    c.CurrencyAlternateKey as from_currency_code,
    'USD' as to_currency_code,
    'market' as rate_type,
    f.AverageRate as rate,
    case when c.CurrencyKey is null then 'unknown currency key' end as _reject_reason,
from fact_currency_rate as f
left join dim_currency as c on f.CurrencyKey = c.CurrencyKey
