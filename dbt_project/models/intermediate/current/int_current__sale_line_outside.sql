-- Grain: one row per accepted row of a sale line dated outside of the fiscal months built, or not dated.
with

calendar as (
    select min(month_start) as first_day from {{ source('config', 'fiscal_month') }}
),

final as (
    select
        version.transaction_id,
        version.line_no,
        version.channel,
        version.dealer_id,
        version.sale_date,
        cast(null as date) as fiscal_month_start,
        version.net_amount,
        version.currency_code,
        case
            when version.sale_date < calendar.first_day then 'before_calendar'
            when version.sale_date >= {{ built_until() }} then 'after_last_month'
            else 'deletion'
        end as left_out_reason,
        version._source,
        version._source_file,
        version._delivery_id,
        version._row_number,
        version._row_part,
        version._received_date
    from {{ ref('stg_sales') }} as version
    cross join calendar
    where
        version.sale_date is null
        or version.sale_date < calendar.first_day
        or version.sale_date >= {{ built_until() }}
)

select * from final
