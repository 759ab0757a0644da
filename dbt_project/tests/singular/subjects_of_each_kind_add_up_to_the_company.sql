-- Dealers, regions, categories, members and teams, each with what is unassigned, are the company in every month.
with

subject_month as (
    select * from {{ ref('int_kpi__subject_month') }}
),

part as (
    select
        fiscal_month_start,
        subject_type,
        sum(net_amount_reporting) as net_amount_reporting,
        sum(net_amount_plan) as net_amount_plan,
        sum(margin_amount_reporting) as margin_amount_reporting,
        sum(costed_net_amount_reporting) as costed_net_amount_reporting
    from subject_month
    group by fiscal_month_start, subject_type
)

select
    whole.fiscal_month_start,
    part.subject_type
from part as whole
inner join part on whole.fiscal_month_start = part.fiscal_month_start
where
    whole.subject_type = 'company'
    and (
        part.net_amount_reporting <> whole.net_amount_reporting
        or part.net_amount_plan <> whole.net_amount_plan
        or part.margin_amount_reporting <> whole.margin_amount_reporting
        or part.costed_net_amount_reporting <> whole.costed_net_amount_reporting
    )

union all

-- A kind that has no row at all in a month of the company has lost everything.
select
    fiscal_month_start,
    cast(null as string) as subject_type
from part
group by fiscal_month_start
having count(*) <> 6
