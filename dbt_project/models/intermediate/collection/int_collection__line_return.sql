-- Grain: one row per return or credit note that names a line of an invoice that is followed.
with

invoice_line as (
    select * from {{ ref('int_collection__invoice_line') }}
),

returned as (
    select *
    from {{ ref('fct_sale_line') }}
    where
        transaction_type in ('return', 'credit_note')
        and original_transaction_id is not null
        and original_line_no is not null
),

totalled as (
    select
        invoice_line.transaction_id,
        invoice_line.currency_code,
        invoice_line.line_no,
        returned.transaction_id as return_transaction_id,
        returned.line_no as return_line_no,
        -- A return counts from the day on which there is something to return.
        greatest(returned.sale_date, invoice_line.sale_date) as return_date,
        greatest(invoice_line.net_amount, 0) as net_amount,
        -returned.net_amount as amount,
        cast(
            sum(-returned.net_amount) over (
                partition by invoice_line.transaction_id, invoice_line.currency_code, invoice_line.line_no
                order by
                    greatest(returned.sale_date, invoice_line.sale_date) nulls last,
                    returned.transaction_id nulls last, returned.line_no nulls last
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as running_amount
    from returned
    inner join invoice_line
        on
            returned.original_transaction_id = invoice_line.transaction_id
            and returned.original_line_no = invoice_line.line_no
            and returned.currency_code = invoice_line.currency_code
),

-- No more can be given back than was invoiced; what goes beyond it is a matter of its own.
final as (
    select
        transaction_id,
        currency_code,
        line_no,
        return_transaction_id,
        return_line_no,
        return_date,
        cast(
            greatest(least(running_amount, net_amount), 0)
            - greatest(least(running_amount - amount, net_amount), 0) as decimal(18, 4)
        ) as returned_amount
    from totalled
)

select * from final
