{#- A table expression with one column `date_day`: every day from the first to the last, the last left out. -#}
{% macro day_spine(relation, first_column, last_column) -%}
    {{ return(adapter.dispatch('day_spine', 'dealermart')(relation, first_column, last_column)) }}
{%- endmacro %}

{% macro duckdb__day_spine(relation, first_column, last_column) -%}
    select cast(unnest(range(min({{ first_column }}), max({{ last_column }}), interval 1 day)) as date) as date_day
    from {{ relation }}
{%- endmacro %}

{% macro spark__day_spine(relation, first_column, last_column) -%}
    select explode(sequence(first_day, date_sub(last_day, 1), interval 1 day)) as date_day
    from (select min({{ first_column }}) as first_day, max({{ last_column }}) as last_day from {{ relation }})
{%- endmacro %}
