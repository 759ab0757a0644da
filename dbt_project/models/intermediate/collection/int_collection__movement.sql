-- Grain: one row per document and what changes who has paid how much of it: a payment, a refund or a return.
with

payment as (
    select * from {{ ref('int_collection__payment') }}
),

invoice_line as (
    select * from {{ ref('int_collection__invoice_line') }}
),

line_return as (
    select * from {{ ref('int_collection__line_return') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

returned as (
    select
        transaction_id,
        currency_code,
        sum(returned_amount) as returned_amount
    from line_return
    group by transaction_id, currency_code
),

document as (
    select
        invoice_line.transaction_id,
        invoice_line.currency_code,
        min(invoice_line.dealer_id) as dealer_id,
        min(invoice_line.sale_date) as sale_date,
        sum(invoice_line.net_amount) - coalesce(max(returned.returned_amount), 0) as payable_amount
    from invoice_line
    left join returned
        on
            invoice_line.transaction_id = returned.transaction_id
            and invoice_line.currency_code = returned.currency_code
    group by invoice_line.transaction_id, invoice_line.currency_code
),

-- Money in another currency than the document's, or for what is no invoice, stays on account.
named as (
    select
        document.transaction_id,
        document.currency_code,
        'payment' as cause,
        payment.payment_id as cause_id,
        -- What is paid in advance pays the document from its day on.
        greatest(payment.payment_date, document.sale_date) as movement_date,
        payment.amount
    from payment
    inner join document
        on
            payment.transaction_id = document.transaction_id
            and payment.currency_code = document.currency_code
),

-- Payments that name no document, laid end to end in the order of their days; a refund goes back the same way.
money as (
    select
        payment.dealer_id,
        payment.currency_code,
        payment.payment_id,
        payment.payment_date,
        payment.amount,
        sum(payment.amount) over (
            partition by payment.dealer_id, payment.currency_code
            order by payment.payment_date nulls last, payment.payment_id nulls last
            rows between unbounded preceding and current row
        ) as running_amount
    from payment
    inner join company on company.payments_on_account = 'oldest_first'
    where
        payment.transaction_id is null
        and payment.dealer_id is not null
),

stretch as (
    select
        dealer_id,
        currency_code,
        payment_id,
        payment_date,
        case when amount < 0 then -1 else 1 end as direction,
        greatest(least(running_amount, running_amount - amount), 0) as money_from,
        greatest(running_amount, running_amount - amount, 0) as money_to
    from money
),

payer as (
    select
        dealer_id,
        currency_code
    from money
    group by dealer_id, currency_code
),

paid_by_name as (
    select
        transaction_id,
        currency_code,
        greatest(sum(amount), 0) as amount
    from named
    group by transaction_id, currency_code
),

-- What payments that name it leave of a document.
left_open as (
    select
        document.transaction_id,
        document.currency_code,
        document.dealer_id,
        document.sale_date,
        greatest(document.payable_amount - coalesce(paid_by_name.amount, 0), 0) as amount
    from document
    inner join payer
        on
            document.dealer_id = payer.dealer_id
            and document.currency_code = payer.currency_code
    left join paid_by_name
        on
            document.transaction_id = paid_by_name.transaction_id
            and document.currency_code = paid_by_name.currency_code
),

-- The same dealer's open documents, laid end to end, the oldest first.
claim as (
    select
        transaction_id,
        currency_code,
        dealer_id,
        sale_date,
        amount,
        sum(amount) over (
            partition by dealer_id, currency_code
            order by sale_date nulls last, transaction_id nulls last
            rows between unbounded preceding and current row
        ) as running_amount
    from left_open
    where amount > 0
),

-- Where a stretch of money and a document lie beside each other, the one pays the other.
on_account as (
    select
        claim.transaction_id,
        claim.currency_code,
        'payment' as cause,
        stretch.payment_id as cause_id,
        greatest(stretch.payment_date, claim.sale_date) as movement_date,
        stretch.direction * (
            least(stretch.money_to, claim.running_amount) - greatest(stretch.money_from, claim.running_amount - claim.amount)
        ) as amount
    from stretch
    inner join claim
        on
            stretch.dealer_id = claim.dealer_id
            and stretch.currency_code = claim.currency_code
            and stretch.money_to > claim.running_amount - claim.amount
            and stretch.money_from < claim.running_amount
),

paid as (
    select
        transaction_id,
        currency_code,
        cause,
        cause_id,
        movement_date,
        amount
    from named

    union all

    select
        transaction_id,
        currency_code,
        cause,
        cause_id,
        movement_date,
        amount
    from on_account
),

paid_document as (
    select
        transaction_id,
        currency_code
    from paid
    group by transaction_id, currency_code
),

-- A return moves no money, but what was paid on its line then pays the rest of the document or lies on account.
final as (
    select
        transaction_id,
        currency_code,
        cause,
        cause_id,
        movement_date,
        cast(amount as decimal(18, 4)) as amount
    from paid

    union all

    select
        line_return.transaction_id,
        line_return.currency_code,
        'return' as cause,
        line_return.return_transaction_id || '/' || line_return.return_line_no as cause_id,
        line_return.return_date as movement_date,
        cast(0 as decimal(18, 4)) as amount
    from line_return
    inner join paid_document
        on
            line_return.transaction_id = paid_document.transaction_id
            and line_return.currency_code = paid_document.currency_code
)

select * from final
