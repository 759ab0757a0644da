-- What was published of dealers, regions, categories, members and teams, with what is unassigned, is the company's in every
-- period. Only where every part has a value: a line without rate or cost leaves its own subjects without one.
with

kpi as (
    select * from {{ source('config', 'kpi') }}
),

measure as (
    select * from {{ source('config', 'measure') }}
),

-- Sums of measures of which nothing is left out for want of an owner. An opportunity needs no dealer.
additive as (
    select
        kpi.kpi_code,
        measure.events in ('sales', 'collection') as is_of_dealers
    from kpi
    inner join measure on kpi.numerator_measure = measure.measure_code
    where
        kpi.kind = 'sum'
        and measure.unowned_subject is not null

    union all

    select
        kpi_code,
        true as is_of_dealers
    from kpi
    where kpi_code in ('net_revenue', 'gross_margin_amount')
),

figure as (
    select * from {{ ref('mart_kpi__subject_period') }}
),

stated as (
    select
        figure.kpi_code,
        figure.period_id,
        figure.subject_type,
        figure.value,
        figure.status
    from figure
    inner join additive on figure.kpi_code = additive.kpi_code
    where
        figure.subject_type <> 'dealer'
        or additive.is_of_dealers
),

company as (
    select *
    from stated
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
    from stated
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
