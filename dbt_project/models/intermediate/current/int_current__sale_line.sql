-- Grain: one row per sale line dated in a fiscal month that this build redoes.
with

dirty_month as (
    select * from {{ source('meta', 'dirty_month') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

{% if not flags.FULL_REFRESH %}
    -- The winner of a line is found among all of its versions, also those dated in a month that is not redone.
    dirty_line as (
        select
            version.transaction_id,
            version.line_no
        from {{ ref('stg_sales') }} as version
        inner join calendar on version.sale_date = calendar.date_day
        inner join dirty_month on calendar.fiscal_month_start = dirty_month.month_start
        group by version.transaction_id, version.line_no
    ),
{% endif %}

sale as (
    select
        version.*,
        {{ winner_rank(['version.transaction_id', 'version.line_no']) }} as winner_rank
    from {{ ref('stg_sales') }} as version
    {% if not flags.FULL_REFRESH %}
        inner join dirty_line
            on
                version.transaction_id = dirty_line.transaction_id
                and version.line_no = dirty_line.line_no
    {% endif %}
),

final as (
    select
        sale.transaction_id,
        sale.line_no,
        sale.transaction_type,
        sale.channel,
        sale.dealer_id,
        sale.product_id,
        sale.seller_id,
        sale.quantity,
        sale.unit_price_amount,
        sale.discount_amount,
        sale.net_amount,
        sale.cost_amount,
        sale.currency_code,
        sale.sale_date,
        sale.due_date,
        calendar.fiscal_month_start,
        sale.original_transaction_id,
        sale.original_line_no,
        sale._source,
        sale._source_file,
        sale._delivery_id,
        sale._row_number,
        sale._row_part,
        sale._received_date
    from sale
    inner join calendar on sale.sale_date = calendar.date_day
    inner join dirty_month on calendar.fiscal_month_start = dirty_month.month_start
    where
        sale.winner_rank = 1
        and sale.sale_date < {{ built_until() }}
)

select * from final
