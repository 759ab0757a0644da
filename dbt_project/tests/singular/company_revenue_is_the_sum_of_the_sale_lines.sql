-- Two paths to one figure: the lines sold to dealers, and the long table built from monthly sums.
-- NULL where a rate is missing.
with

line as (
    select * from {{ ref('fct_sale_line') }}
    where channel is distinct from 'sell_out'
),

period as (
    select * from {{ ref('dim_period') }}
),

kpi as (
    select * from {{ ref('mart_kpi__subject_period') }}
),

by_line as (
    select
        period.period_id,
        count(*) as line_count,
        case when count(*) = count(line.net_amount_reporting) then sum(line.net_amount_reporting) end as net_revenue
    from line
    inner join period
        on
            line.sale_date >= period.period_start
            and line.sale_date < period.period_end
    group by period.period_id
)

select
    by_line.period_id,
    by_line.net_revenue,
    kpi.value
from by_line
left join kpi
    on
        by_line.period_id = kpi.period_id
        and kpi.subject_type = 'company'
        and kpi.kpi_code = 'net_revenue'
where
    by_line.net_revenue is distinct from kpi.value
    or by_line.line_count is distinct from kpi.sample_size
