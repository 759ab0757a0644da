-- Grain: one row per subject, fiscal month, measure and month from which it counts.
{{ by_fiscal_month('int_measure__event_state', in_steps='month') }}
with

event as (
    select * from {{ ref('int_measure__event') }}
    where {{ of_this_build('int_measure__event_state') }}
),

kpi as (
    select *
    from {{ source('config', 'kpi') }}
    where interval_method = 'normal'
),

-- Squares are for intervals of means alone; those of amounts could be too large for their type.
squared_measure as (
    select numerator_measure as measure_code
    from kpi
    group by numerator_measure
),

valued as (
    select
        event.measure_code,
        event.member_id,
        event.dealer_id,
        event.team,
        event.region,
        event.product_category,
        event.fiscal_month_start,
        event.known_month_start,
        event.value,
        case
            when squared_measure.measure_code is not null then {{ multiply('event.value', 'event.value') }}
        end as value_squared
    from event
    left join squared_measure on event.measure_code = squared_measure.measure_code
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
            cast(sum(value_squared) as decimal(28, 8)) as square_total
        from valued
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}measure_code, fiscal_month_start, known_month_start
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
