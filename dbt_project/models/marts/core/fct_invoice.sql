-- Grain: one row per invoice and currency that is followed until it is paid.
with

invoice_line as (
    select * from {{ ref('int_collection__invoice_line') }}
),

line_change as (
    select * from {{ ref('int_collection__line_change') }}
),

changed as (
    select
        transaction_id,
        currency_code,
        coalesce(sum(amount) filter (where change_type = 'return'), 0) as returned_amount,
        coalesce(sum(amount) filter (where change_type like 'payment%'), 0) as paid_amount,
        sum(amount) as open_amount,
        max(change_date) filter (where change_type <> 'invoice') as last_change_date
    from line_change
    group by transaction_id, currency_code
),

document as (
    select
        transaction_id,
        currency_code,
        min(dealer_id) as dealer_id,
        min(dealer_region) as dealer_region,
        min(sale_date) as sale_date,
        min(fiscal_month_start) as fiscal_month_start,
        min(due_date) as due_date,
        bool_or(is_due_date_imputed) as is_due_date_imputed,
        sum(net_amount) as invoiced_amount,
        min(fx_rate) as fx_rate
    from invoice_line
    group by transaction_id, currency_code
),

final as (
    select
        document.transaction_id,
        document.currency_code,
        document.dealer_id,
        document.dealer_region,
        document.sale_date,
        document.fiscal_month_start,
        document.due_date,
        document.is_due_date_imputed,
        cast(document.invoiced_amount as decimal(18, 4)) as invoiced_amount,
        cast(-changed.returned_amount as decimal(18, 4)) as returned_amount,
        cast(-changed.paid_amount as decimal(18, 4)) as paid_amount,
        cast(changed.open_amount as decimal(18, 4)) as open_amount,
        changed.open_amount = 0 as is_settled,
        case when changed.open_amount = 0 then changed.last_change_date end as settled_date,
        document.fx_rate,
        {{ multiply('document.invoiced_amount', 'document.fx_rate') }} as invoiced_amount_reporting
    from document
    inner join changed
        on
            document.transaction_id = changed.transaction_id
            and document.currency_code = changed.currency_code
)

select * from final
