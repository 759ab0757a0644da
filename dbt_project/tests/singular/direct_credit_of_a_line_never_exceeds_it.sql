-- The direct credits of a sale line sum to the line where its shares make 100 %, and never to more.
with

credited as (
    select
        transaction_id,
        line_no,
        sum(credit_pct) as credit_pct,
        sum(credited_net_amount_plan) as credited_net_amount_plan,
        count(*) - count(credited_net_amount_plan) as unknown_count
    from {{ ref('int_credit__sale_line') }}
    where fiscal_month_start in (select month_start from {{ source('meta', 'dirty_month') }})
    group by transaction_id, line_no
)

select
    credited.transaction_id,
    credited.line_no
from credited
inner join {{ ref('fct_sale_line') }} as line
    on
        credited.transaction_id = line.transaction_id
        and credited.line_no = line.line_no
where
    credited.credit_pct > 100
    or (
        credited.unknown_count = 0
        and abs(credited.credited_net_amount_plan) > abs(line.net_amount_plan)
    )
    or (
        credited.unknown_count = 0
        and credited.credit_pct = 100
        and credited.credited_net_amount_plan <> line.net_amount_plan
    )
