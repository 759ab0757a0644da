-- Grain: one row per fiscal month at whose end an invoice is open and line of it with an open amount.
with

line_change as (
    select * from {{ ref('int_collection__line_change') }}
),

invoice_line as (
    select * from {{ ref('int_collection__invoice_line') }}
),

month_end as (
    select * from {{ ref('int_collection__month_end') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

day_change as (
    select
        transaction_id,
        currency_code,
        line_no,
        change_date,
        sum(amount) as amount
    from line_change
    group by transaction_id, currency_code, line_no, change_date
),

balance as (
    select
        transaction_id,
        currency_code,
        line_no,
        change_date,
        coalesce(
            lead(change_date) over (
                partition by transaction_id, currency_code, line_no
                order by change_date nulls last
            ), {{ open_end() }}
        ) as next_change_date,
        sum(amount) over (
            partition by transaction_id, currency_code, line_no
            order by change_date nulls last
            rows between unbounded preceding and current row
        ) as open_amount
    from day_change
),

final as (
    select
        balance.transaction_id,
        balance.currency_code,
        balance.line_no,
        month_end.fiscal_month_start,
        invoice_line.due_date < month_end.until_date as is_overdue,
        cast(balance.open_amount as decimal(18, 4)) as open_amount,
        -- A balance is worth what it is on the day on which it is stated.
        {{ multiply('balance.open_amount', 'day_rate.rate') }} as open_amount_reporting
    from balance
    inner join month_end
        on
            balance.change_date < month_end.until_date
            and balance.next_change_date >= month_end.until_date
    inner join invoice_line
        on
            balance.transaction_id = invoice_line.transaction_id
            and balance.currency_code = invoice_line.currency_code
            and balance.line_no = invoice_line.line_no
    cross join company
    left join day_rate
        on
            balance.currency_code = day_rate.currency_code
            and month_end.last_day = day_rate.date_day
            and company.fx_rate_type = day_rate.rate_type
    where balance.open_amount <> 0
)

select * from final
