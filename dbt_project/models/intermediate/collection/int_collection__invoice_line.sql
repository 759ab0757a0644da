-- Grain: one row per line of an invoice that is followed until it is paid.
with

line as (
    select *
    from {{ ref('fct_sale_line') }}
    where
        transaction_type = 'invoice'
        and channel is distinct from 'sell_out'
),

start as (
    select * from {{ ref('int_collection__start') }}
),

final as (
    select
        line.transaction_id,
        line.currency_code,
        line.line_no,
        line.dealer_id,
        line.dealer_region,
        line.sale_date,
        line.fiscal_month_start,
        coalesce(
            line.due_date, cast({{ dbt.dateadd('day', 'start.payment_terms_days', 'line.sale_date') }} as date)
        ) as due_date,
        line.due_date is null as is_due_date_imputed,
        line.net_amount,
        line.fx_rate
    from line
    inner join start on line.sale_date >= start.receivables_from
)

select * from final
