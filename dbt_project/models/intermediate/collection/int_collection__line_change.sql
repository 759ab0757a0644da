-- Grain: one row per line of an invoice that is followed and what changes its open amount; their running sum is what is open.
with

invoice_line as (
    select * from {{ ref('int_collection__invoice_line') }}
),

line_return as (
    select * from {{ ref('int_collection__line_return') }}
),

allocation as (
    select * from {{ ref('fct_payment_allocation') }}
),

final as (
    select
        transaction_id,
        currency_code,
        line_no,
        'invoice' as change_type,
        transaction_id as change_id,
        sale_date as change_date,
        net_amount as amount
    from invoice_line

    union all

    select
        transaction_id,
        currency_code,
        line_no,
        'return' as change_type,
        return_transaction_id || '/' || return_line_no as change_id,
        return_date as change_date,
        cast(-returned_amount as decimal(18, 4)) as amount
    from line_return

    union all

    select
        transaction_id,
        currency_code,
        line_no,
        'payment of ' || cause as change_type,
        cause_id as change_id,
        allocation_date as change_date,
        cast(-amount as decimal(18, 4)) as amount
    from allocation
)

select * from final
