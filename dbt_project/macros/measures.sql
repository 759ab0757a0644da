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

{% macro duckdb__median(value) -%}
    median({{ value }})
{%- endmacro %}

{#- Spark's median is a double; the values have 8 decimals, and half of their sum has no more than 9. -#}
{% macro spark__median(value) -%}
    cast(percentile({{ value }}, 0.5) as decimal(28, 8))
{%- endmacro %}
