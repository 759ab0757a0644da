-- Grain: one row per accepted row of the feed of sales that is not in fct_sale_line.
with

inside as (
    select * from {{ ref('int_current__sale_line_left_out') }}
),

outside as (
    select * from {{ ref('int_current__sale_line_outside') }}
),

final as (
    select
        transaction_id,
        line_no,
        channel,
        dealer_id,
        sale_date,
        fiscal_month_start,
        net_amount,
        currency_code,
        left_out_reason,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from inside

    union all

    select
        transaction_id,
        line_no,
        channel,
        dealer_id,
        sale_date,
        fiscal_month_start,
        net_amount,
        currency_code,
        left_out_reason,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from outside
)

select * from final
