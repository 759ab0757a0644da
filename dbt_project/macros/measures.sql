{#- For whom measures of events are summed: subject type, and the column of an event that names the subject. -#}
{% macro measure_subjects() -%}
    {{ return([
        ('member', 'member_id'), ('dealer', 'dealer_id'), ('team', 'team'), ('region', 'region'),
        ('company', "'company'"), ('category', 'product_category'),
    ]) }}
{%- endmacro %}

{% macro median(value) -%}
    {{ return(adapter.dispatch('median', 'dealermart')(value)) }}
{%- endmacro %}

{#- The engine cuts off what lies between two values; with one decimal more than they have, half of their sum is whole. -#}
{% macro duckdb__median(value) -%}
    median(cast({{ value }} as decimal(28, 9)))
{%- endmacro %}

{#- Spark's median is a double; the values have 8 decimals, and half of their sum has no more than 9. -#}
{% macro spark__median(value) -%}
    cast(percentile({{ value }}, 0.5) as decimal(28, 8))
{%- endmacro %}
