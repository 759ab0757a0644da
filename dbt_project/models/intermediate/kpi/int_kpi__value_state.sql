-- Grain: one row per fiscal period begun.
{{ remembered('period_id') }}
{%- set value_columns = [
    'listed.subject_type', 'listed.subject_id', 'listed.kpi_code', 'listed.numerator', 'listed.denominator', 'listed.value',
    'listed.sample_size', 'listed.ci_low', 'listed.ci_high', 'listed.ci_method', 'listed.rate_type', 'listed.status',
    'listed.status_reason', 'subject.subject_id', 'subject.subject_name',
] %}
{%- set target_columns = ['subject_type', 'subject_id', 'metric', 'target_value', 'actual_value'] %}
{%- set period_columns = ['period_start', 'period_end', 'is_complete', 'previous_period_id', 'last_year_period_id'] %}
with

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

target_period as (
    select * from {{ ref('int_kpi__target_period') }}
),

subject as (
    select * from {{ ref('dim_subject') }}
),

-- All that int_kpi__subject_period reads of a period itself.
part as (
    {% for relation in ['int_kpi__value', 'int_kpi__target_value'] %}
        select
            listed.period_id,
            '{{ relation }}' as part_name,
            {{ fingerprint(value_columns) }} as fingerprint
        from {{ ref(relation) }} as listed
        left join subject
            on
                listed.subject_type = subject.subject_type
                and listed.subject_id = subject.subject_id
        group by listed.period_id

        union all

    {% endfor %}
    select
        period_id,
        'target' as part_name,
        {{ fingerprint(target_columns) }} as fingerprint
    from target_period
    group by period_id

    union all

    select
        period_id,
        'period' as part_name,
        {{ fingerprint(period_columns) }} as fingerprint
    from period
    group by period_id
),

stated as (
    select
        period.period_id,
        {{ fingerprint(['part.part_name', 'part.fingerprint']) }} as fingerprint
    from period
    inner join part on period.period_id = part.period_id
    group by period.period_id
),

final as (
    {{ changes_since_before('period_id') }}
)

select * from final
