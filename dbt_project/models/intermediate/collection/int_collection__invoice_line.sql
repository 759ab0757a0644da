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

-- A document is due as a whole, by the earliest date that its lines state.
dated as (
    select
        *,
        min(due_date) over (partition by transaction_id, currency_code) as stated_due_date
    from line
),

final as (
    select
        dated.transaction_id,
        dated.currency_code,
        dated.line_no,
        dated.dealer_id,
        dated.dealer_region,
        dated.sale_date,
        dated.fiscal_month_start,
        coalesce(
            dated.stated_due_date, cast({{ dbt.dateadd('day', 'start.payment_terms_days', 'dated.sale_date') }} as date)
        ) as due_date,
        dated.stated_due_date is null as is_due_date_imputed,
        dated.net_amount,
        dated.fx_rate
    from dated
    inner join start on dated.sale_date >= start.receivables_from
)

select * from final
