-- Grain: one row per subject, fiscal month, measure and month from which it counts.
with

event as (
    select * from {{ ref('int_measure__event') }}
),

final as (
    {% for subject_type, subject_id in measure_subjects() %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            measure_code,
            fiscal_month_start,
            known_month_start,
            count(value) as event_count,
            count(*) - count(value) as unknown_count,
            cast(coalesce(sum(value), 0) as decimal(28, 8)) as total,
            cast(coalesce(sum({{ multiply('value', 'value') }}), 0) as decimal(28, 8)) as square_total
        from event
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}measure_code, fiscal_month_start, known_month_start
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
