select
    transaction_id,
    line_no,
    sum(credit_pct) as credit_pct
from {{ ref('int_credit__sale_line') }}
where fiscal_month_start in (select month_start from {{ source('meta', 'dirty_month') }})
group by transaction_id, line_no
having sum(credit_pct) > 100
