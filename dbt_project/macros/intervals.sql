{#- 95 % intervals. DOUBLE is allowed here alone: the inputs are counts or exact sums, the result is cast back. -#}
{% macro wilson_bound(successes, trials, side) -%}
    {%- set z = '1.959963984540054e0' -%}
    {%- set sign = '-' if side == 'low' else '+' -%}
    {%- set n = 'cast(nullif(' ~ trials ~ ', 0) as double)' -%}
    {%- set p = 'cast(' ~ successes ~ ' as double) / ' ~ n -%}
    cast(
        least(1e0, greatest(0e0, (
            {{ p }} + {{ z }} * {{ z }} / (2 * {{ n }})
            {{ sign }} {{ z }} * sqrt((({{ p }}) * (1 - {{ p }}) + {{ z }} * {{ z }} / (4 * {{ n }})) / {{ n }})
        ) / (1 + {{ z }} * {{ z }} / {{ n }}))) as decimal(18, 8)
    )
{%- endmacro %}

{% macro mean_bound(total, total_of_squares, trials, side) -%}
    {%- set sign = '-' if side == 'low' else '+' -%}
    {%- set n = 'cast(' ~ trials ~ ' as double)' -%}
    {%- set mean = 'cast(' ~ total ~ ' as double) / ' ~ n -%}
    case when {{ trials }} >= 2 then cast(
        {{ mean }} {{ sign }} 1.959963984540054e0 * sqrt(greatest(0e0,
            (cast({{ total_of_squares }} as double) - {{ n }} * ({{ mean }}) * ({{ mean }})) / (({{ n }} - 1) * {{ n }})
        )) as decimal(18, 8)
    ) end
{%- endmacro %}
