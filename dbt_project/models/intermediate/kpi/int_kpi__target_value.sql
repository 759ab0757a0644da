-- Grain: one row per subject, fiscal period begun and KPI that is taken of targets.
with

final as (
    {% for model in target_models() %}
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
            rate_type,
            status,
            status_reason
        from {{ ref('int_kpi__' ~ model) }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
