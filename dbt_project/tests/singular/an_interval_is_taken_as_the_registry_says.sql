-- What docs/kpis.md says of intervals holds of KPIs that are SQL of their own, too.
select
    subject_period.kpi_code,
    subject_period.ci_method,
    kpi.interval_method
from {{ ref('int_kpi__subject_period') }} as subject_period
inner join {{ ref('dim_kpi') }} as kpi on subject_period.kpi_code = kpi.kpi_code
where subject_period.ci_method is distinct from kpi.interval_method and subject_period.ci_method is not null
