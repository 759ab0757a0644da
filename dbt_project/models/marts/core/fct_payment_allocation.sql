-- Grain: one row per payment, refund or return and line of an invoice whose paid amount it changes.
with

movement as (
    select * from {{ ref('int_collection__movement') }}
),

payment as (
    select * from {{ ref('int_collection__payment') }}
),

invoice_line as (
    select * from {{ ref('int_collection__invoice_line') }}
),

line_return as (
    select * from {{ ref('int_collection__line_return') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

received as (
    select
        transaction_id,
        currency_code,
        cause,
        cause_id,
        movement_date,
        amount,
        row_number() over (
            partition by transaction_id, currency_code
            order by movement_date nulls last, case when cause = 'return' then 0 else 1 end nulls last, cause_id nulls last
        ) as movement_no,
        -- 'return' sorts after 'payment', but on one day a return comes first: the payment is for what is left.
        sum(amount) over (
            partition by transaction_id, currency_code
            order by movement_date nulls last, case when cause = 'return' then 0 else 1 end nulls last, cause_id nulls last
            rows between unbounded preceding and current row
        ) as received_amount
    from movement
),

returned as (
    select
        received.transaction_id,
        received.currency_code,
        received.movement_no,
        line_return.line_no,
        sum(line_return.returned_amount) as returned_amount
    from received
    inner join line_return
        on
            received.transaction_id = line_return.transaction_id
            and received.currency_code = line_return.currency_code
            and received.movement_date >= line_return.return_date
    group by received.transaction_id, received.currency_code, received.movement_no, line_return.line_no
),

-- What is to be paid for each line on the day of the movement.
payable as (
    select
        received.transaction_id,
        received.currency_code,
        received.movement_no,
        received.cause,
        received.cause_id,
        received.movement_date,
        received.received_amount,
        invoice_line.line_no,
        invoice_line.net_amount,
        invoice_line.fx_rate,
        cast(invoice_line.net_amount - coalesce(returned.returned_amount, 0) as decimal(18, 4)) as payable_amount
    from received
    inner join invoice_line
        on
            received.transaction_id = invoice_line.transaction_id
            and received.currency_code = invoice_line.currency_code
    left join returned
        on
            received.transaction_id = returned.transaction_id
            and received.currency_code = returned.currency_code
            and received.movement_no = returned.movement_no
            and invoice_line.line_no = returned.line_no
),

summed as (
    select
        *,
        cast(
            sum(payable_amount) over (
                partition by transaction_id, currency_code, movement_no
                order by line_no nulls last
                rows between unbounded preceding and current row
            ) as decimal(18, 4)
        ) as running_payable,
        cast(
            sum(payable_amount) over (partition by transaction_id, currency_code, movement_no) as decimal(18, 4)
        ) as payable_total,
        min(case when payable_amount = round(payable_amount, 2) and received_amount = round(received_amount, 2) then 1 else 0 end)
            over (partition by transaction_id, currency_code) as is_whole_cents
    from payable
),

held as (
    select
        *,
        cast(least(greatest(received_amount, 0), greatest(payable_total, 0)) as decimal(18, 4)) as paid_total
    from summed
),

-- The lines share what was received so far by what is to be paid for each: differences of rounded running totals, so
-- that the parts add up to the cent and no line gets more than it costs.
spread as (
    select
        *,
        cast(case
            when paid_total = 0 then 0
            when paid_total = payable_total then running_payable
            when is_whole_cents = 1 then {{ exact_divide('cast(paid_total as decimal(28, 4)) * running_payable', 'payable_total', 2) }}
            else {{ exact_divide('cast(paid_total as decimal(28, 4)) * running_payable', 'payable_total', 4) }}
        end as decimal(18, 4)) as running_paid
    from held
),

-- What each line has got after the movement ...
shared as (
    select
        *,
        running_paid - coalesce(
            lag(running_paid) over (
                partition by transaction_id, currency_code, movement_no
                order by line_no nulls last
            ), 0
        ) as paid_amount
    from spread
),

-- ... and by the movement.
changed as (
    select
        *,
        case when cause = 'payment' then cause_id end as payment_id,
        cast(
            paid_amount - coalesce(
                lag(paid_amount) over (
                    partition by transaction_id, currency_code, line_no
                    order by movement_no nulls last
                ), 0
            ) as decimal(18, 4)
        ) as amount
    from shared
),

final as (
    select
        changed.cause,
        changed.cause_id,
        changed.transaction_id,
        changed.line_no,
        payment.payment_id,
        payment.payment_date,
        changed.movement_date as allocation_date,
        calendar.fiscal_month_start,
        changed.amount,
        changed.currency_code,
        cast({{ exact_divide('changed.amount', 'changed.net_amount', 8) }} as decimal(18, 8)) as line_share,
        {{ multiply('changed.amount', 'changed.fx_rate') }} as amount_reporting
    from changed
    inner join calendar on changed.movement_date = calendar.date_day
    left join payment on changed.payment_id = payment.payment_id
    where changed.amount <> 0
)

select * from final
