-- Grain: one row per dealer and fiscal month of a first invoice, or of one after twelve months without.
with

invoice_month as (
    select * from {{ ref('int_sales__invoice_month') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

coverage as (
    select *
    from {{ ref('int_kpi__sales_coverage') }}
    where period_type = 'month'
),

month_numbered as (
    select
        month_start,
        row_number() over (order by month_start nulls last) as month_no
    from fiscal_month
),

bought as (
    select
        invoice_month.dealer_id,
        invoice_month.fiscal_month_start,
        month_numbered.month_no
    from invoice_month
    inner join month_numbered on invoice_month.fiscal_month_start = month_numbered.month_start
    group by invoice_month.dealer_id, invoice_month.fiscal_month_start, month_numbered.month_no
),

spaced as (
    select
        dealer_id,
        fiscal_month_start,
        month_no,
        lag(month_no) over (partition by dealer_id order by month_no nulls last) as previous_month_no
    from bought
),

-- Who bought in a month not delivered is not known: whoever turns up within twelve months of it may be an old customer.
final as (
    select
        spaced.dealer_id,
        spaced.fiscal_month_start,
        cast(spaced.month_no as bigint) as month_no
    from spaced
    inner join coverage on spaced.fiscal_month_start = coverage.period_start
    where
        coverage.covered_months_before >= 12
        and (spaced.previous_month_no is null or spaced.month_no - spaced.previous_month_no > 12)
)

select * from final
