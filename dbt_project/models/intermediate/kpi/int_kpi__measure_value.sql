-- Grain: one row per subject, fiscal period begun and KPI that is made of measures.
with

population as (
    select * from {{ ref('int_kpi__population') }}
),

measure_period as (
    select * from {{ ref('int_kpi__measure_period') }}
),

kpi as (
    select *
    from {{ source('config', 'kpi') }}
    where kind <> 'model'
),

-- Whoever has an event of a KPI, and whoever is to be told that there is none.
stated as (
    select
        population.subject_type,
        population.subject_id,
        population.period_id,
        kpi.kpi_code
    from population
    cross join kpi
    where kpi.is_absence_stated or population.subject_type = 'company'

    union

    select
        measure_period.subject_type,
        measure_period.subject_id,
        measure_period.period_id,
        kpi.kpi_code
    from measure_period
    inner join kpi on measure_period.measure_code = kpi.expected_measure
),

counted as (
    select
        stated.subject_type,
        stated.subject_id,
        stated.period_id,
        kpi.kpi_code,
        kpi.kind,
        kpi.interval_method,
        kpi.empty_reason,
        kpi.unanswered_reason,
        coalesce(expected.event_count, 0) as expected_count,
        coalesce(numerator.event_count, 0) as numerator_count,
        numerator.total as measured_total,
        numerator.square_total as measured_square_total,
        coalesce(numerator.total, 0) as numerator_total,
        coalesce(minus.total, 0) as minus_total,
        denominator.total as denominator_total,
        coalesce(denominator.event_count, 0) as denominator_count
    from stated
    inner join kpi on stated.kpi_code = kpi.kpi_code
    {% for role in ['expected', 'numerator', 'minus', 'denominator'] %}
        left join measure_period as {{ role }}
            on
                stated.subject_type = {{ role }}.subject_type
                and stated.subject_id = {{ role }}.subject_id
                and stated.period_id = {{ role }}.period_id
                and kpi.{{ role }}_measure = {{ role }}.measure_code
    {% endfor %}
),

-- Of each kind: what stands above and below the line, what it was taken of.
weighed as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        kind,
        interval_method,
        empty_reason,
        unanswered_reason,
        expected_count,
        measured_square_total,
        minus_total,
        numerator_total as plus_total,
        case when kind in ('sum', 'mean') then numerator_count else denominator_count end as sample_size,
        case
            when kind = 'net_promoter' then numerator_total - minus_total
            when kind = 'ratio' then numerator_total
            else measured_total
        end as numerator,
        case
            when kind = 'mean' then cast(numerator_count as decimal(28, 8))
            when kind <> 'sum' then denominator_total
        end as denominator
    from counted
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        case when sample_size > 0 then cast(numerator as decimal(28, 8)) end as numerator,
        case when sample_size > 0 then cast(denominator as decimal(28, 8)) end as denominator,
        case
            when sample_size = 0 then cast(null as decimal(28, 8))
            when kind = 'sum' then cast(numerator as decimal(28, 8))
            when kind = 'net_promoter' then cast({{ exact_divide('100 * numerator', 'denominator', 8) }} as decimal(28, 8))
            else cast({{ exact_divide('numerator', 'denominator', 8) }} as decimal(28, 8))
        end as value,
        sample_size,
        {% for side in ['low', 'high'] %}
            case
                when interval_method = 'wilson' then {{ wilson_bound('numerator', 'denominator', side) }}
                when interval_method = 'normal' then {{ mean_bound('numerator', 'measured_square_total', 'sample_size', side) }}
                when interval_method = 'nps' then {{ net_promoter_bound('plus_total', 'minus_total', 'denominator', side) }}
            end as ci_{{ side }},
        {% endfor %}
        case when sample_size > 0 then interval_method end as ci_method,
        case when sample_size > 0 then 'ok' else 'no_data' end as status,
        case
            when expected_count = 0 then empty_reason
            when sample_size = 0 then 'none of ' || expected_count || ' ' || coalesce(unanswered_reason, 'counted')
        end as status_reason
    from weighed
)

select * from final
