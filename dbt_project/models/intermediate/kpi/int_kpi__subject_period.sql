-- Grain: one row per subject (member, dealer, team, region, company, category), fiscal period begun and KPI.
{{ by_fiscal_period('int_kpi__subject_state') }}
with

stated as (
    select * from {{ ref('int_kpi__value') }}
    where {{ of_this_build('int_kpi__subject_state', 'period_id') }}

    union all

    select * from {{ ref('int_kpi__target_value') }}
    where {{ of_this_build('int_kpi__subject_state', 'period_id') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

beside as (
    select previous_period_id as period_id
    from period
    where {{ of_this_build('int_kpi__subject_state', 'period_id') }}

    union

    select last_year_period_id as period_id
    from period
    where {{ of_this_build('int_kpi__subject_state', 'period_id') }}
),

-- Read once more and narrow: of a list this long, all columns are not held beside themselves.
earlier as (
    {% for relation in ['int_kpi__value', 'int_kpi__target_value'] %}
        select
            subject_type,
            subject_id,
            period_id,
            kpi_code,
            value,
            sample_size
        from {{ ref(relation) }}
        where period_id in (select period_id from beside)
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
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

subject as (
    select * from {{ ref('dim_subject') }}
),

-- A name that the masters do not know, such as a mistyped team of a target, is no subject that sold nothing.
measured as (
    select
        stated.subject_type,
        stated.subject_id,
        stated.period_id,
        stated.kpi_code,
        case when subject.subject_id is not null or stated.sample_size > 0 then stated.numerator end as numerator,
        case when subject.subject_id is not null or stated.sample_size > 0 then stated.denominator end as denominator,
        case when subject.subject_id is not null or stated.sample_size > 0 then stated.value end as value,
        stated.sample_size,
        case when subject.subject_id is not null or stated.sample_size > 0 then stated.ci_low end as ci_low,
        case when subject.subject_id is not null or stated.sample_size > 0 then stated.ci_high end as ci_high,
        stated.ci_method,
        stated.rate_type,
        case
            when subject.subject_id is not null or stated.sample_size > 0 then stated.status
            else 'subject_unknown'
        end as status,
        case
            when subject.subject_id is not null or stated.sample_size > 0 then stated.status_reason
            else 'the masters know no ' || stated.subject_type || ' of this name'
        end as status_reason
    from stated
    left join subject
        on
            stated.subject_type = subject.subject_type
            and stated.subject_id = subject.subject_id
),

-- Like is compared with like: what is shown beside the target was measured inside the very windows of the targets.
compared as (
    select
        target_period.subject_type,
        target_period.subject_id,
        target_period.period_id,
        target_period.metric,
        target_period.target_value,
        target_period.actual_value,
        {{ attainment_of('target_period.actual_value', 'target_period.target_value', 'kpi.direction') }} as attainment
    from target_period
    inner join kpi on target_period.metric = kpi.kpi_code
),

final as (
    select
        measured.subject_type,
        measured.subject_id,
        coalesce(subject.subject_name, measured.subject_id) as subject_name,
        measured.period_id,
        period.period_type,
        period.period_start,
        period.period_end,
        period.is_complete,
        measured.kpi_code,
        kpi.kpi_name,
        measured.numerator,
        measured.denominator,
        measured.value,
        kpi.unit,
        case when kpi.unit = 'currency' then company.reporting_currency_code end as currency_code,
        coalesce(measured.rate_type, case when kpi.unit = 'currency' then company.fx_rate_type end) as rate_type,
        case when measured.status <> 'subject_unknown' then compared.target_value end as target_value,
        case when measured.status <> 'subject_unknown' then compared.actual_value end as attainment_actual,
        case when measured.status <> 'subject_unknown' then compared.attainment end as attainment,
        case when subject.subject_id is not null or previous_period.sample_size > 0 then previous_period.value end
            as previous_value,
        case when subject.subject_id is not null or last_year_period.sample_size > 0 then last_year_period.value end
            as last_year_value,
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
        kpi.definition_version,
        kpi.audience
    from measured
    inner join period on measured.period_id = period.period_id
    cross join company
    left join kpi on measured.kpi_code = kpi.kpi_code
    left join subject
        on
            measured.subject_type = subject.subject_type
            and measured.subject_id = subject.subject_id
    left join compared
        on
            measured.subject_type = compared.subject_type
            and measured.subject_id = compared.subject_id
            and measured.period_id = compared.period_id
            and measured.kpi_code = compared.metric
    left join earlier as previous_period
        on
            measured.subject_type = previous_period.subject_type
            and measured.subject_id = previous_period.subject_id
            and measured.kpi_code = previous_period.kpi_code
            and period.previous_period_id = previous_period.period_id
    left join earlier as last_year_period
        on
            measured.subject_type = last_year_period.subject_type
            and measured.subject_id = last_year_period.subject_id
            and measured.kpi_code = last_year_period.kpi_code
            and period.last_year_period_id = last_year_period.period_id
)

select * from final
