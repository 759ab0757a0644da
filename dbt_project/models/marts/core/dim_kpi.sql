-- Grain: one row per KPI of the registry.
with

kpi as (
    select * from {{ source('config', 'kpi') }}
),

final as (
    select
        kpi_code,
        kpi_name,
        kpi_name_zh,
        unit,
        direction,
        formula,
        formula_zh,
        numerator,
        denominator,
        population,
        population_zh,
        min_sample,
        interval_method,
        kind,
        audience,
        definition_version
    from kpi
)

select * from final
