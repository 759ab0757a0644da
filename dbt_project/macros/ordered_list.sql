{#- The values of a group in one text, in an order; NULLs are left out. dbt.listagg ignores the order on Spark. -#}
{% macro ordered_list(value, delimiter, order_by) -%}
    {{ return(adapter.dispatch('ordered_list', 'dealermart')(value, delimiter, order_by)) }}
{%- endmacro %}

{% macro duckdb__ordered_list(value, delimiter, order_by) -%}
    string_agg({{ value }}, {{ delimiter }} order by {{ order_by }} nulls last)
{%- endmacro %}

{% macro spark__ordered_list(value, delimiter, order_by) -%}
    string_agg({{ value }}, {{ delimiter }}) within group (order by {{ order_by }} nulls last)
{%- endmacro %}
