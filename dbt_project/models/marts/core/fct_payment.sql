-- Grain: one row per payment or refund dated inside the fiscal calendar built so far.
with

payment as (
    select * from {{ ref('int_current__payment') }}
),

resolved as (
    select * from {{ ref('int_collection__payment') }}
),

allocation as (
    select * from {{ ref('fct_payment_allocation') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

allocated as (
    select
        payment_id,
        sum(amount) as amount
    from allocation
    where payment_id is not null
    group by payment_id
),

final as (
    select
        payment.payment_id,
        resolved.transaction_id,
        payment.original_payment_id,
        resolved.dealer_id,
        dealer.region as dealer_region,
        payment.payment_type,
        payment.payment_date,
        calendar.fiscal_month_start,
        payment.amount,
        cast(coalesce(allocated.amount, 0) as decimal(18, 4)) as allocated_amount,
        cast(payment.amount - coalesce(allocated.amount, 0) as decimal(18, 4)) as on_account_amount,
        payment.currency_code,
        day_rate.rate as fx_rate,
        {{ multiply('payment.amount', 'day_rate.rate') }} as amount_reporting,
        payment.method,
        payment._source,
        payment._source_file,
        payment._delivery_id,
        payment._row_number,
        payment._row_part,
        payment._received_date
    from payment
    inner join resolved on payment.payment_id = resolved.payment_id
    inner join calendar on payment.payment_date = calendar.date_day
    cross join company
    left join allocated on payment.payment_id = allocated.payment_id
    left join day_rate
        on
            payment.currency_code = day_rate.currency_code
            and payment.payment_date = day_rate.date_day
            and company.fx_rate_type = day_rate.rate_type
    left join dealer
        on
            resolved.dealer_id = dealer.dealer_id
            and payment.payment_date >= dealer.valid_from
            and payment.payment_date < dealer.valid_to
)

select * from final
