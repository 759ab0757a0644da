-- Grain: one row per dealer, fiscal quarter begun and warning that its figures give.
with

subject_period as (
    select * from {{ ref('mart_kpi__subject_period') }}
),

warning as (
    select * from {{ source('config', 'scorecard_warning') }}
),

kpi as (
    select * from {{ source('config', 'kpi') }}
),

measure as (
    select * from {{ source('config', 'measure') }}
),

-- What grows from day to day, and the attainment that is taken of it: to date it is below a bound of the quarter anyway.
grown as (
    select kpi.kpi_code
    from kpi
    left join measure on kpi.numerator_measure = measure.measure_code
    where
        kpi.kpi_code in ({% for kpi_code, column, unknown_count in sales_sums() %}'{{ kpi_code }}', {% endfor %}'attainment_pct')
        or (kpi.kind in ('sum', 'distinct') and measure.taken = 'sum')
),

final as (
    select
        subject_period.subject_id as dealer_id,
        subject_period.subject_name as dealer_name,
        subject_period.period_id,
        subject_period.period_start,
        subject_period.period_end,
        warning.warning_code,
        warning.warning_no,
        warning.warning_name,
        warning.warning_name_zh,
        subject_period.kpi_code,
        subject_period.value,
        warning.below,
        warning.above,
        subject_period.sample_size,
        subject_period.kpi_name || ' is ' || cast(cast(subject_period.value as decimal(18, 4)) as string) || ', '
        || case when warning.below is not null then 'below ' else 'above ' end
        || cast(cast(coalesce(warning.below, warning.above) as decimal(18, 4)) as string) as reason
    from subject_period
    inner join warning on subject_period.kpi_code = warning.kpi_code
    left join grown on subject_period.kpi_code = grown.kpi_code
    where
        subject_period.subject_type = 'dealer'
        and subject_period.period_type = 'quarter'
        and subject_period.status = 'ok'
        and (
            (subject_period.value < warning.below and (subject_period.is_complete or grown.kpi_code is null))
            or subject_period.value > warning.above
        )
)

select * from final
