{#- A table expression with one column `date_day`: every day from the first to the last, the last left out. -#}
{% macro day_spine(relation, first_column, last_column) -%}
    {{ return(adapter.dispatch('day_spine', 'dealermart')(relation, first_column, last_column)) }}
{%- endmacro %}

{% macro duckdb__day_spine(relation, first_column, last_column) -%}
    select cast(unnest(range(min({{ first_column }}), max({{ last_column }}), interval 1 day)) as date) as date_day
    from {{ relation }}
{%- endmacro %}
