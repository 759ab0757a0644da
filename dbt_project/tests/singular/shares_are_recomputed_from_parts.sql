-- A share of a quarter or year is the sum of its months' numerators by that of their denominators, never a mean of shares.
-- Shares of sales alone: what is done after a month and inside of the quarter counts in the quarter.
with

kpi as (
    select *
    from {{ ref('mart_kpi__subject_period') }}
    where
        kpi_code in ('gross_margin_pct', 'discount_pct', 'returns_pct')
        and numerator is not null
),

month_of_period as (
    select * from {{ ref('int_calendar__month_period') }}
    where period_type <> 'month'
),

month as (
    select
        period_id,
        fiscal_month_start
    from {{ ref('int_calendar__month_period') }}
    where period_type = 'month'
),

summed as (
    select
        kpi.subject_type,
        kpi.subject_id,
        month_of_period.period_id,
        kpi.kpi_code,
        count(*) as month_count,
        sum(kpi.numerator) as numerator,
        sum(kpi.denominator) as denominator
    from kpi
    inner join month on kpi.period_id = month.period_id
    inner join month_of_period on month.fiscal_month_start = month_of_period.fiscal_month_start
    group by kpi.subject_type, kpi.subject_id, month_of_period.period_id, kpi.kpi_code
),

counted as (
    select
        period_id,
        count(*) as month_count
    from month_of_period
    group by period_id
)

select
    kpi.subject_type,
    kpi.subject_id,
    kpi.period_id,
    kpi.kpi_code
from kpi
inner join summed
    on
        kpi.subject_type = summed.subject_type
        and kpi.subject_id = summed.subject_id
        and kpi.period_id = summed.period_id
        and kpi.kpi_code = summed.kpi_code
inner join counted on kpi.period_id = counted.period_id
where
    kpi.denominator <> summed.denominator
    -- A month with returns and no invoice has no share, and its returns are in that of the quarter.
    or (kpi.numerator <> summed.numerator and (kpi.kpi_code <> 'returns_pct' or summed.month_count = counted.month_count))
