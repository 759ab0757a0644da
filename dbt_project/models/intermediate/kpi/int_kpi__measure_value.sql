-- Grain: one row per subject, fiscal period begun and KPI that is made of measures.
{{ by_fiscal_period('int_kpi__measure_state') }}
with

population as (
    select * from {{ ref('int_kpi__population') }}
    where {{ of_this_build('int_kpi__measure_state', 'period_id') }}
),

measure_period as (
    select * from {{ ref('int_kpi__measure_period') }}
    where {{ of_this_build('int_kpi__measure_state', 'period_id') }}
),

subject_set as (
    select * from {{ ref('int_measure__subject_set') }}
    where {{ of_this_build('int_kpi__measure_state', 'period_id') }}
),

measure_cluster as (
    select * from {{ ref('int_kpi__measure_cluster') }}
    where {{ of_this_build('int_kpi__measure_state', 'period_id') }}
),

measure as (
    select * from {{ source('config', 'measure') }}
),

kpi as (
    select *
    from {{ source('config', 'kpi') }}
    where kind <> 'model'
),

kpi_subject as (
    select * from {{ source('config', 'kpi_subject') }}
),

-- Which measure stands where in a KPI; a measure may stand in several.
kpi_role as (
    {% for role in ['expected', 'numerator', 'minus', 'denominator'] %}
        select
            kpi_code,
            '{{ role }}' as role,
            {{ role }}_measure as measure_code
        from kpi
        where {{ role }}_measure is not null
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

-- Whoever is to be told that there is no event of a KPI has one row more, which counts nothing.
listed as (
    select
        measure_period.subject_type,
        measure_period.subject_id,
        measure_period.period_id,
        kpi_role.kpi_code,
        kpi_role.role,
        measure_period.event_count,
        measure_period.unknown_count,
        case when measure_period.unknown_count > 0 then measure.unknown_status end as unknown_status,
        measure_period.total,
        measure_period.square_total,
        subject_set.thing_count,
        subject_set.median_value
    from measure_period
    inner join kpi_role on measure_period.measure_code = kpi_role.measure_code
    inner join kpi_subject
        on
            kpi_role.kpi_code = kpi_subject.kpi_code
            and measure_period.subject_type = kpi_subject.subject_type
    left join measure on measure_period.measure_code = measure.measure_code
    left join subject_set
        on
            measure_period.subject_type = subject_set.subject_type
            and measure_period.subject_id = subject_set.subject_id
            and measure_period.period_id = subject_set.period_id
            and measure_period.measure_code = subject_set.measure_code

    union all

    select
        population.subject_type,
        population.subject_id,
        population.period_id,
        kpi.kpi_code,
        'stated' as role,
        cast(null as bigint) as event_count,
        cast(null as bigint) as unknown_count,
        cast(null as string) as unknown_status,
        cast(null as decimal(28, 8)) as total,
        cast(null as decimal(28, 8)) as square_total,
        cast(null as bigint) as thing_count,
        cast(null as decimal(28, 8)) as median_value
    from population
    inner join kpi_subject on population.subject_type = kpi_subject.subject_type
    inner join kpi on kpi_subject.kpi_code = kpi.kpi_code
    where kpi.is_absence_stated or population.subject_type = 'company'
),

totalled as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        count(*) filter (where role = 'stated') as stated_count,
        coalesce(sum(event_count + unknown_count) filter (where role = 'expected'), 0) as expected_count,
        coalesce(sum(event_count) filter (where role = 'numerator'), 0) as numerator_count,
        coalesce(sum(event_count) filter (where role = 'denominator'), 0) as denominator_count,
        coalesce(sum(unknown_count) filter (where role in ('numerator', 'denominator')), 0) as unknown_count,
        max(unknown_status) as unknown_status,
        sum(total) filter (where role = 'numerator') as measured_total,
        sum(square_total) filter (where role = 'numerator') as measured_square_total,
        coalesce(sum(total) filter (where role = 'minus'), 0) as minus_total,
        sum(total) filter (where role = 'denominator') as denominator_total,
        sum(thing_count) filter (where role = 'numerator') as numerator_thing_count,
        sum(thing_count) filter (where role = 'denominator') as denominator_thing_count,
        max(median_value) filter (where role = 'numerator') as median_value
    from listed
    group by subject_type, subject_id, period_id, kpi_code
),

-- Of which KPIs the company has an event: read apart, since all that is summed is too wide to be held and read twice.
company_period as (
    select
        period_id,
        measure_code
    from {{ ref('int_kpi__measure_period') }}
    where
        subject_type = 'company'
        and event_count + unknown_count > 0
),

expected_somewhere as (
    select
        company_period.period_id,
        kpi_role.kpi_code
    from company_period
    inner join kpi_role on company_period.measure_code = kpi_role.measure_code
    inner join kpi_subject on kpi_role.kpi_code = kpi_subject.kpi_code
    where
        kpi_role.role = 'expected'
        and kpi_subject.subject_type = 'company'
    group by company_period.period_id, kpi_role.kpi_code
),

-- Whoever has an event of a KPI, and whoever is to be told that there is none.
counted as (
    select
        totalled.subject_type,
        totalled.subject_id,
        totalled.period_id,
        totalled.kpi_code,
        kpi.kind,
        kpi.factor,
        kpi.interval_method,
        kpi.empty_reason,
        kpi.unanswered_reason,
        kpi.is_zero_without_events and expected_somewhere.kpi_code is not null as is_zero_without_events,
        totalled.expected_count,
        totalled.numerator_count,
        totalled.denominator_count,
        totalled.unknown_count,
        totalled.unknown_status,
        totalled.measured_total,
        totalled.measured_square_total,
        totalled.minus_total,
        totalled.denominator_total,
        totalled.numerator_thing_count,
        totalled.denominator_thing_count,
        totalled.median_value,
        measure_cluster.cluster_count,
        measure_cluster.numerator_squares,
        measure_cluster.products,
        measure_cluster.denominator_squares
    from totalled
    inner join kpi on totalled.kpi_code = kpi.kpi_code
    left join measure_cluster
        on
            totalled.subject_type = measure_cluster.subject_type
            and totalled.subject_id = measure_cluster.subject_id
            and totalled.period_id = measure_cluster.period_id
            and totalled.kpi_code = measure_cluster.kpi_code
    left join expected_somewhere
        on
            totalled.period_id = expected_somewhere.period_id
            and totalled.kpi_code = expected_somewhere.kpi_code
    where
        totalled.stated_count > 0
        or totalled.expected_count > 0
),

-- Of each kind: what stands above and below the line, what it was taken of.
weighed as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        kind,
        factor,
        interval_method,
        empty_reason,
        unanswered_reason,
        expected_count,
        measured_square_total,
        minus_total,
        unknown_count,
        unknown_status,
        cluster_count,
        numerator_squares,
        products,
        denominator_squares,
        coalesce(measured_total, 0) as plus_total,
        is_zero_without_events and expected_count = 0 and kind in ('sum', 'distinct') as is_zero,
        cast(case
            when kind in ('sum', 'mean', 'median') then numerator_count
            when kind = 'distinct' then coalesce(numerator_thing_count, 0)
            when kind = 'distinct_share' then coalesce(denominator_thing_count, 0)
            else denominator_count
        end as bigint) as sample_size,
        case
            when kind in ('distinct', 'distinct_share') then cast(coalesce(numerator_thing_count, 0) as decimal(28, 8))
            when kind = 'net_promoter' then coalesce(measured_total, 0) - minus_total
            when kind = 'ratio' then coalesce(measured_total, 0)
            when kind = 'median' then median_value
            else measured_total
        end as numerator,
        case
            when kind = 'mean' then cast(numerator_count as decimal(28, 8))
            when kind = 'distinct_share' then cast(denominator_thing_count as decimal(28, 8))
            when kind in ('ratio', 'net_promoter') then denominator_total
        end as denominator
    from counted
),

-- A sum with a hole is no sum, nor is a share of one; a mean is taken of what is known, and says so.
judged as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        kind,
        factor,
        interval_method,
        empty_reason,
        unanswered_reason,
        expected_count,
        measured_square_total,
        minus_total,
        plus_total,
        unknown_count,
        unknown_status,
        cluster_count,
        numerator_squares,
        products,
        denominator_squares,
        is_zero,
        sample_size,
        numerator,
        denominator,
        case
            when is_zero then 'ok'
            when kind in ('sum', 'ratio') and unknown_count > 0 then unknown_status
            when sample_size = 0 then 'no_data'
            when kind in ('ratio', 'net_promoter') and denominator <= 0 then 'undefined'
            else 'ok'
        end as status
    from weighed
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        case
            when is_zero then cast(0 as decimal(28, 8))
            when sample_size > 0 and status in ('ok', 'undefined') then cast(numerator as decimal(28, 8))
        end as numerator,
        case when sample_size > 0 and status in ('ok', 'undefined') then cast(denominator as decimal(28, 8)) end as denominator,
        case
            when status <> 'ok' then cast(null as decimal(28, 8))
            when is_zero then cast(0 as decimal(28, 8))
            when kind in ('sum', 'distinct', 'median') then {{ multiply('numerator', 'factor') }}
            when kind = 'net_promoter' then cast({{ exact_divide('100 * numerator', 'denominator', 8) }} as decimal(28, 8))
            else cast({{ exact_divide('factor * numerator', 'denominator', 8) }} as decimal(28, 8))
        end as value,
        sample_size,
        {% for side in ['low', 'high'] %}
            cast(case
                when status <> 'ok' or is_zero then null
                when interval_method = 'wilson' then {{ wilson_bound('numerator', 'denominator', side) }}
                when interval_method = 'normal' then {{ mean_bound('numerator', 'measured_square_total', 'sample_size', side) }}
                when interval_method = 'cluster'
                    then factor * {{ cluster_bound(
                        'numerator', 'denominator', 'numerator_squares',
                        'products', 'denominator_squares', 'cluster_count', side
                    ) }}
                when interval_method = 'nps' then {{ net_promoter_bound('plus_total', 'minus_total', 'denominator', side) }}
            end as decimal(18, 8)) as ci_{{ side }},
        {% endfor %}
        case
            when interval_method = 'cluster' and coalesce(cluster_count, 0) < 2 then cast(null as string)
            when sample_size > 0 and status = 'ok' then interval_method
        end as ci_method,
        cast(null as string) as rate_type,
        status,
        case
            when is_zero then cast(null as string)
            when unknown_count > 0 and unknown_status = 'no_rate'
                then 'no exchange rate for ' || unknown_count || ' of ' || (unknown_count + sample_size)
            when unknown_count > 0 then unknown_count || ' of ' || (unknown_count + sample_size) || ' not known'
            when expected_count = 0 then empty_reason
            when sample_size = 0 then 'none of ' || expected_count || ' ' || coalesce(unanswered_reason, 'counted')
            when status = 'undefined' then 'what it is a share of is zero or negative'
        end as status_reason
    from judged
)

select * from final
