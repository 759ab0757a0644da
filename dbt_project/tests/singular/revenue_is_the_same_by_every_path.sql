-- Net revenue of a period from the lake's lines, by dealer, by member credit, by product and by category, to the last decimal.
-- Lines without a rate are in none of them; the number of such lines is compared too.
with

line as (
    select * from {{ ref('fct_sale_line') }}
    where channel is distinct from 'sell_out'
),

by_product as (
    select
        fiscal_month_start,
        product_id,
        sum(net_amount_reporting) as net_amount,
        count(*) - count(net_amount_reporting) as no_rate_count
    from line
    group by fiscal_month_start, product_id
),

path as (
    select
        'ledger' as path,
        fiscal_month_start,
        sum({{ multiply('net_amount', 'fx_rate') }}) as net_amount,
        count(*) - count(fx_rate) as no_rate_count
    from line
    group by fiscal_month_start

    union all

    select
        'product' as path,
        fiscal_month_start,
        sum(net_amount) as net_amount,
        sum(no_rate_count) as no_rate_count
    from by_product
    group by fiscal_month_start

    union all

    select
        'credit' as path,
        fiscal_month_start,
        sum(credited_net_amount_reporting) as net_amount,
        null as no_rate_count
    from {{ ref('int_credit__sale_line') }}
    group by fiscal_month_start

    union all

    select
        subject_type as path,
        fiscal_month_start,
        sum(net_amount_reporting) as net_amount,
        -- A line credited to two members is counted twice there.
        case when subject_type not in ('member', 'team') then sum(no_rate_line_count) end as no_rate_count
    from {{ ref('int_kpi__subject_month') }}
    group by fiscal_month_start, subject_type
)

select
    ledger.fiscal_month_start,
    path.path,
    ledger.net_amount as ledger_amount,
    path.net_amount as path_amount
from path as ledger
inner join path on ledger.fiscal_month_start = path.fiscal_month_start
where
    ledger.path = 'ledger'
    and (
        coalesce(path.net_amount, 0) <> coalesce(ledger.net_amount, 0)
        or path.no_rate_count <> ledger.no_rate_count
    )
