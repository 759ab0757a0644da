-- Grain: one row per subject, fiscal period begun and measure of which a KPI takes the median or counts different things.
{{ by_fiscal_period('int_measure__period_state') }}
with

event as (
    select * from {{ ref('int_measure__event') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
    where {{ of_this_build('int_measure__period_state', 'period_id') }}
),

kpi as (
    select *
    from {{ source('config', 'kpi') }}
    where kind in ('median', 'distinct', 'distinct_share')
),

measure as (
    select * from {{ source('config', 'measure') }}
),

-- What can be added is summed by month; only these have to be taken from the events of a whole period.
wanted as (
    select numerator_measure as measure_code from kpi

    union

    select denominator_measure as measure_code from kpi
),

placed as (
    select
        month_period.period_id,
        event.event_id,
        event.measure_code,
        event.member_id,
        event.dealer_id,
        event.team,
        event.region,
        event.product_category,
        event.value
    from event
    inner join wanted on event.measure_code = wanted.measure_code
    inner join measure on event.measure_code = measure.measure_code
    inner join month_period
        on
            event.fiscal_month_start = month_period.fiscal_month_start
            and event.known_month_start < month_period.period_end
            and (measure.taken = 'sum' or month_period.is_last_month)
    where event.value is not null
),

final as (
    {% for subject_type, subject_id in measure_subjects() %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            measure_code,
            count(distinct event_id) as thing_count,
            cast({{ median('value') }} as decimal(28, 8)) as median_value
        from placed
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}period_id, measure_code
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
