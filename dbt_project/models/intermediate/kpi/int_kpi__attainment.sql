-- Grain: one row per seller and fiscal period begun.
with

population as (
    select * from {{ ref('int_kpi__population') }}
),

target_period as (
    select * from {{ ref('int_kpi__target_period') }}
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
        {{ attainment_of('target_period.actual_value', 'target_period.target_value', "'higher'") }} as value,
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

final as (
    select
        attainment.subject_type,
        attainment.subject_id,
        attainment.period_id,
        'attainment_pct' as kpi_code,
        attainment.actual_value as numerator,
        attainment.target_value as denominator,
        attainment.value,
        coalesce(attainment.sample_size, 0) as sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        company.plan_fx_rate_type as rate_type,
        attainment.status,
        attainment.status_reason
    from attainment
    cross join company
)

select * from final
