{#- Contracts name types as DuckDB does; dbt compares them with a select of no rows, which Spark must be able to read. -#}
{% macro spark__get_empty_schema_sql(columns) -%}
    {%- set types = {'varchar': 'string', 'ubigint': 'decimal(20, 0)', 'integer': 'int'} -%}
    select
    {% for name in columns %}
        {%- set kind = columns[name]['data_type'] | lower -%}
        cast(null as {{ types.get(kind, kind) }}) as {{ name }}{{ "," if not loop.last }}
    {% endfor %}
    limit 0
{%- endmacro %}
