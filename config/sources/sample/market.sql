-- The panel names quarters as 2026Q1; another word is no period.
with

panel as (
    select
        *,
        case
            when regexp_full_match(quarter, '\d{4}Q[1-4]')
                then make_date(cast(left(quarter, 4) as bigint), 3 * cast(right(quarter, 1) as bigint) - 2, 1)
        end as period_start
    from market
)

select
    _delivery_id,
    _row_number,
    region,
    product_category,
    period_start,
    cast(period_start + interval 3 month as date) as period_end,
    competitor,
    amount,
    'CNY' as currency_code,
    quantity,
    price_index,
    data_provider,
    case when not regexp_full_match(quarter, '\d{4}Q[1-4]') then 'unknown quarter' end as _reject_reason
from panel
