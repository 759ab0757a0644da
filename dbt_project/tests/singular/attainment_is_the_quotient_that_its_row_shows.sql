-- Of every row of KPIs and of every target: what is shown as reached, by the target, and nothing else.
with

shown as (
    select
        subject_period.subject_type || ' ' || subject_period.subject_id || ' ' || subject_period.period_id as what,
        subject_period.kpi_code,
        kpi.direction,
        subject_period.attainment_actual as actual,
        subject_period.target_value as target,
        subject_period.attainment
    from {{ ref('int_kpi__subject_period') }} as subject_period
    left join {{ source('config', 'kpi') }} as kpi on subject_period.kpi_code = kpi.kpi_code

    union all

    select
        target_id as what,
        metric as kpi_code,
        direction,
        actual_value as actual,
        target_value_compared as target,
        attainment
    from {{ ref('int_kpi__target_window') }}
)

select *
from shown
where
    (
        attainment is null
        and target > 0
        and actual is not null
        and (direction <> 'lower' or actual > 0)
    )
    or (attainment is not null and (actual is null or target is null or target <= 0))
    or (
        attainment is not null
        and direction = 'lower'
        and attainment <> cast({{ exact_divide('target', 'actual', 8) }} as decimal(28, 8))
    )
    or (
        attainment is not null
        and direction <> 'lower'
        and attainment <> cast({{ exact_divide('actual', 'target', 8) }} as decimal(28, 8))
    )
