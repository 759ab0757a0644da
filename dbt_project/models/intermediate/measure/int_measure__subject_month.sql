-- Grain: one row per subject (member, dealer, team, region, company), fiscal month, measure and month from which it counts.
with

event as (
    {% for events in [ref('int_measure__training'), ref('int_measure__survey')] %}
        select
            measure_code,
            member_id,
            dealer_id,
            team,
            region,
            fiscal_month_start,
            known_month_start,
            value
        from {{ events }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    {% for subject_type, subject_id in [
        ('member', 'member_id'), ('dealer', 'dealer_id'), ('team', 'team'), ('region', 'region'), ('company', "'company'")
    ] %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            measure_code,
            fiscal_month_start,
            known_month_start,
            count(*) as event_count,
            cast(sum(value) as decimal(28, 8)) as total,
            cast(sum({{ multiply('value', 'value') }}) as decimal(28, 8)) as square_total
        from event
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}measure_code, fiscal_month_start, known_month_start
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
