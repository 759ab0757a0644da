-- Grain: one row per accepted row of a payment that is in no figure.
with

version as (
    select * from {{ ref('stg_payments') }}
),

held as (
    select * from {{ ref('fct_payment') }}
),

calendar as (
    select min(month_start) as first_day from {{ source('config', 'fiscal_month') }}
),

final as (
    select
        version.payment_id,
        version.transaction_id,
        version.dealer_id,
        version.payment_date,
        version.amount,
        version.currency_code,
        case
            when version.payment_date < calendar.first_day then 'before_calendar'
            when version.payment_date >= {{ built_until() }} then 'after_last_month'
            when version._is_deleted or version.payment_date is null then 'deletion'
            when version._is_repeat then 'repeat'
            when version._gone_date is not null then 'gone'
            else 'superseded'
        end as left_out_reason,
        version._source,
        version._source_file,
        version._delivery_id,
        version._row_number,
        version._row_part,
        version._received_date
    from version
    cross join calendar
    left join held
        on
            version._source = held._source
            and version._source_file = held._source_file
            and version._delivery_id = held._delivery_id
            and version._row_number = held._row_number
            and version._row_part = held._row_part
    where held.payment_id is null
)

select * from final
