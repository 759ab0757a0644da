-- Every line is a dealer's; every line whose dealer has a region is that region's.
with

subject_month as (
    select * from {{ ref('int_kpi__subject_month') }}
),

without_region as (
    select * from {{ ref('int_sales__dealer_month') }}
    where dealer_region is null
),

part as (
    select
        fiscal_month_start,
        case when subject_type = 'dealer' then net_amount_reporting else 0 end as dealer_amount,
        case when subject_type = 'region' then net_amount_reporting else 0 end as region_amount,
        case when subject_type = 'company' then net_amount_reporting else 0 end as company_amount
    from subject_month

    union all

    select
        fiscal_month_start,
        0 as dealer_amount,
        net_amount_reporting as region_amount,
        0 as company_amount
    from without_region
)

select
    fiscal_month_start,
    sum(dealer_amount) as dealers_amount,
    sum(region_amount) as regions_amount,
    sum(company_amount) as whole_amount
from part
group by fiscal_month_start
having
    sum(dealer_amount) <> sum(company_amount)
    or sum(region_amount) <> sum(company_amount)
