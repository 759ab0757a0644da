-- Dealers, regions, members and teams, each with what is unassigned, have sold what the company has by the last day shown.
with

latest as (
    select *
    from {{ ref('mart_kpi__sales_monitor_day') }}
    where is_latest
),

part as (
    select
        period_id,
        subject_type,
        sum(line_count_to_date) as line_count,
        sum(net_revenue_to_date) as net_revenue,
        sum(achieved_to_date) as achieved
    from latest
    group by period_id, subject_type
)

-- A line that several members share is counted for each of them.
select
    whole.period_id,
    part.subject_type as kind
from part as whole
inner join part on whole.period_id = part.period_id
where
    whole.subject_type = 'company'
    and (
        (part.subject_type in ('dealer', 'region') and part.line_count <> whole.line_count)
        or (whole.net_revenue is not null and part.net_revenue is distinct from whole.net_revenue)
        or (whole.achieved is not null and part.achieved is distinct from whole.achieved)
    )

union all

-- A kind that has no row at all in a quarter with sales has lost everything.
select
    period_id,
    cast(null as string) as kind
from part
group by period_id
having
    count(*) <> 5
    and max(case when subject_type = 'company' then line_count end) > 0
