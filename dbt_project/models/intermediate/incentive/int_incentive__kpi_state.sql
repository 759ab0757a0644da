-- Grain: one row per fiscal period begun.
{{ remembered('period_id') }}
{%- set columns = [
    'subject_period.kpi_code', 'subject_period.subject_type', 'subject_period.subject_id', 'subject_period.value',
    'subject_period.status', 'subject_period.status_reason',
] %}
with

plan as (
    select * from {{ source('config', 'plan') }}
),

gate as (
    select * from {{ source('config', 'plan_gate') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

subject_period as (
    select * from {{ ref('int_kpi__subject_period') }}
),

-- What plans look at, and by what periods they pay.
looked_at as (
    {% for relation, column in [('gate', 'kpi_code'), ('component', 'kpi_code'), ('component', 'modifier_kpi_code')] %}
        select
            {{ relation }}.{{ column }} as kpi_code,
            plan.period_type
        from {{ relation }}
        inner join plan on {{ same_key(relation, 'plan', plan_key()) }}
        where {{ relation }}.{{ column }} is not null
        {% if not loop.last %}
            union
        {% endif %}
    {% endfor %}
),

valued as (
    select
        subject_period.period_id,
        {{ fingerprint(columns) }} as fingerprint
    from subject_period
    inner join looked_at
        on
            subject_period.kpi_code = looked_at.kpi_code
            and subject_period.period_type = looked_at.period_type
    group by subject_period.period_id
),

stated as (
    select
        period.period_id,
        coalesce(valued.fingerprint, '') as fingerprint
    from period
    left join valued on period.period_id = valued.period_id
),

final as (
    {{ changes_since_before('period_id') }}
)

select * from final
