{#- Columns of a relation, one after the other. -#}
{% macro columns_of(relation, columns) -%}
    {%- for column in columns -%}
        {{ relation }}.{{ column }}{{ ", " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Two relations agree in all columns of a key. -#}
{% macro same_key(left, right, columns) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} = {{ right }}.{{ column }}{{ " and " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- Whom a plan pays, by one of its versions; more columns may follow. -#}
{% macro payee_key(more=[]) -%}
    {{ return(['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'plan_version'] + more) }}
{%- endmacro %}

{% macro plan_key(more=[]) -%}
    {{ return(['scenario_id', 'plan_id', 'plan_version'] + more) }}
{%- endmacro %}
