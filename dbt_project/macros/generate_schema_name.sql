{#- Schemas are named as in dbt_project.yml, without the target's schema in front: one warehouse file, one set of schemas. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
