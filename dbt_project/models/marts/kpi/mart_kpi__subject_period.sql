-- Grain: one row per subject (member, dealer, team, region, company), fiscal period begun and KPI.
with

population as (
    select * from {{ ref('int_kpi__population') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

sales_value as (
    select * from {{ ref('int_kpi__sales_value') }}
),

measure_value as (
    select * from {{ ref('int_kpi__measure_value') }}
),

target_period as (
    select * from {{ ref('int_kpi__target_period') }}
),

kpi as (
    select * from {{ source('config', 'kpi') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

-- Like is compared with like: the sales of the targets' own windows, at the plan rate, with the sum of the targets.
attainment as (
    select
        population.subject_type,
        population.subject_id,
        population.period_id,
        target_period.target_value,
        target_period.actual_value,
        target_period.sample_size,
        case
            when target_period.actual_value is not null and target_period.target_value > 0
                then cast({{ exact_divide('target_period.actual_value', 'target_period.target_value', 8) }} as decimal(28, 8))
        end as value,
        case
            when target_period.period_id is null then 'no_data'
            when target_period.actual_value is null then target_period.unmeasured_status
            when target_period.target_value <= 0 then 'undefined'
            else 'ok'
        end as status,
        case
            when target_period.period_id is null then 'no target in the period'
            when target_period.actual_value is null then target_period.unmeasured_reason
            when target_period.target_value <= 0 then 'the target is zero or negative'
            else target_period.note
        end as status_reason
    from population
    left join target_period
        on
            population.subject_type = target_period.subject_type
            and population.subject_id = target_period.subject_id
            and population.period_id = target_period.period_id
            and target_period.metric = 'net_revenue'
    where population.is_seller
),

measured as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        numerator,
        denominator,
        value,
        sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        company.fx_rate_type as rate_type,
        status,
        status_reason
    from sales_value
    cross join company

    union all

    select
        subject_type,
        subject_id,
        period_id,
        'attainment_pct' as kpi_code,
        actual_value as numerator,
        target_value as denominator,
        value,
        coalesce(sample_size, 0) as sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        company.plan_fx_rate_type as rate_type,
        status,
        status_reason
    from attainment
    cross join company

    union all

    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        numerator,
        denominator,
        value,
        sample_size,
        ci_low,
        ci_high,
        ci_method,
        cast(null as string) as rate_type,
        status,
        status_reason
    from measure_value
),

compared as (
    select
        measured.subject_type,
        measured.subject_id,
        measured.period_id,
        measured.kpi_code,
        kpi.direction,
        target_period.target_value,
        -- An amount is compared over the targets' own windows, a share or score as it stands.
        case when target_period.is_amount then target_period.actual_value else measured.value end as achieved_value
    from measured
    inner join target_period
        on
            measured.subject_type = target_period.subject_type
            and measured.subject_id = target_period.subject_id
            and measured.period_id = target_period.period_id
            and measured.kpi_code = target_period.metric
    left join kpi on measured.kpi_code = kpi.kpi_code
),

final as (
    select
        measured.subject_type,
        measured.subject_id,
        measured.period_id,
        period.period_type,
        period.period_start,
        period.period_end,
        period.is_complete,
        measured.kpi_code,
        measured.numerator,
        measured.denominator,
        measured.value,
        kpi.unit,
        case when kpi.unit = 'currency' then company.reporting_currency_code end as currency_code,
        measured.rate_type,
        compared.target_value,
        case
            when compared.target_value <= 0 then cast(null as decimal(28, 8))
            when compared.direction = 'lower'
                then cast({{ exact_divide('compared.target_value', 'compared.achieved_value', 8) }} as decimal(28, 8))
            else cast({{ exact_divide('compared.achieved_value', 'compared.target_value', 8) }} as decimal(28, 8))
        end as attainment,
        previous_period.value as previous_value,
        last_year_period.value as last_year_value,
        measured.sample_size,
        measured.ci_low,
        measured.ci_high,
        measured.ci_method,
        case
            when measured.status = 'ok' and measured.ci_method is not null and measured.sample_size < kpi.min_sample
                then 'small_sample'
            else measured.status
        end as status,
        case
            when measured.status = 'ok' and measured.ci_method is not null and measured.sample_size < kpi.min_sample
                then measured.sample_size || ' measured, at least ' || kpi.min_sample || ' wanted'
            else measured.status_reason
        end as status_reason,
        kpi.definition_version
    from measured
    inner join period on measured.period_id = period.period_id
    cross join company
    left join kpi on measured.kpi_code = kpi.kpi_code
    left join compared
        on
            measured.subject_type = compared.subject_type
            and measured.subject_id = compared.subject_id
            and measured.period_id = compared.period_id
            and measured.kpi_code = compared.kpi_code
    left join measured as previous_period
        on
            measured.subject_type = previous_period.subject_type
            and measured.subject_id = previous_period.subject_id
            and measured.kpi_code = previous_period.kpi_code
            and period.previous_period_id = previous_period.period_id
    left join measured as last_year_period
        on
            measured.subject_type = last_year_period.subject_type
            and measured.subject_id = last_year_period.subject_id
            and measured.kpi_code = last_year_period.kpi_code
            and period.last_year_period_id = last_year_period.period_id
)

select * from final
