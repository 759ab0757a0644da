-- Rows in another currency for which there is no rate to the reporting currency on or before their `date`.
-- `amount`: asked only where this column is filled. What is no currency code at all has a rule of its own.
select b._row_id
from {{ batch }} as b
left join (
    select
        from_currency_code,
        min(rate_date) as rate_date
    from feed_fx_rates
    where to_currency_code = reporting_currency()
    group by from_currency_code
) as r
    on r.from_currency_code = b.currency_code
where
    {% if amount is defined %}
    b.{{ amount }} is not null
    and {% endif %}
    b.currency_code <> reporting_currency()
    and regexp_matches(b.currency_code, '^[A-Z]{3}$')
    and (r.rate_date is null or b.{{ date }} < r.rate_date)
