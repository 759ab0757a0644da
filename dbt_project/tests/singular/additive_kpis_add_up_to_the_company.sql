-- What was published of dealers, regions, categories, members and teams, with what is unassigned, is the company's in every
-- period. Only where every part has a value: a line without rate or cost leaves its own subjects without one.
with

kpi as (
    select *
    from {{ ref('mart_kpi__subject_period') }}
    where kpi_code in ('net_revenue', 'gross_margin_amount', 'units')
),

company as (
    select *
    from kpi
    where
        subject_type = 'company'
        and value is not null
),

part as (
    select
        kpi_code,
        period_id,
        subject_type,
        sum(value) as value,
        count(*) filter (where value is null and status not in ('no_data', 'subject_unknown')) as unknown_count
    from kpi
    where subject_type <> 'company'
    group by kpi_code, period_id, subject_type
)

select
    company.kpi_code,
    company.period_id,
    part.subject_type,
    company.value as whole_value,
    part.value as parts_value
from company
inner join part
    on
        company.kpi_code = part.kpi_code
        and company.period_id = part.period_id
where
    part.unknown_count = 0
    and (
        part.value is null
        or part.value <> company.value
    )
