{#- The day of a moment in UTC where the company is; the time zone is a column of the company's row. -#}
{% macro local_date(moment, time_zone='company.time_zone') -%}
    {{ return(adapter.dispatch('local_date', 'dealermart')(moment, time_zone)) }}
{%- endmacro %}

{% macro duckdb__local_date(moment, time_zone) -%}
    cast(timezone({{ time_zone }}, timezone('UTC', {{ moment }})) as date)
{%- endmacro %}

{% macro spark__local_date(moment, time_zone) -%}
    cast(from_utc_timestamp({{ moment }}, {{ time_zone }}) as date)
{%- endmacro %}
