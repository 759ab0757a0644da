-- Grain: one row per survey of team_pulse sent and measure.
with

response as (
    select * from {{ ref('fct_team_pulse') }}
),

-- What members answer is stated of their team and never of themselves.
final as (
    {% for measure_code, value, condition in [
        ('team_pulse_sent', '1', 'response_id is not null'),
        ('team_pulse_score', 'score_of_five', 'is_answered'),
    ] %}
        select
            response_id as event_id,
            '{{ measure_code }}' as measure_code,
            cast(null as string) as member_id,
            cast(null as string) as dealer_id,
            member_team as team,
            cast(null as string) as region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from response
        where fiscal_month_start is not null and {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
