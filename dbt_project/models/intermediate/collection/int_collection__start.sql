-- Grain: one row per warehouse that has received a payment: from when on invoices are followed.
with

company as (
    select * from {{ source('config', 'company') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

payment as (
    select * from {{ ref('int_current__payment') }}
),

first_payment as (
    select min(payment_date) as payment_date from payment
),

-- Without a payment ever received nothing is followed: whether an invoice was paid is not known.
final as (
    select
        coalesce(company.receivables_from, calendar.fiscal_month_start, first_payment.payment_date) as receivables_from,
        company.payment_terms_days
    from company
    cross join first_payment
    left join calendar on first_payment.payment_date = calendar.date_day
    where first_payment.payment_date is not null
)

select * from final
