-- Two ways to the same figure: documents open past their due date, and the KPI of the last month begun.
with

document as (
    select
        dealer_id,
        sum(open_amount_reporting) as amount
    from {{ ref('mart_kpi__overdue_document') }}
    where fx_status = 'ok'
    group by dealer_id
),

last_month as (
    select max(fiscal_month_start) as fiscal_month_start from {{ ref('int_collection__month_end') }}
),

measured as (
    select
        subject_month.subject_id as dealer_id,
        sum(subject_month.total) as amount
    from {{ ref('int_measure__subject_month') }} as subject_month
    inner join last_month on subject_month.fiscal_month_start = last_month.fiscal_month_start
    where
        subject_month.measure_code = 'overdue_amount'
        and subject_month.subject_type = 'dealer'
    group by subject_month.subject_id
)

select
    coalesce(document.dealer_id, measured.dealer_id) as dealer_id,
    document.amount,
    measured.amount as measured_amount
from document
full join measured on document.dealer_id = measured.dealer_id
where coalesce(document.amount, 0) <> coalesce(measured.amount, 0)
