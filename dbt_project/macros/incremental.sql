{#-
    An incremental model holds whole fiscal months: the months to redo are taken out before their rows are written anew.
    The engine's delete+insert strategy would leave rows whose key has gone from the month.
-#}
{% macro by_fiscal_month() -%}
    {{ return(adapter.dispatch('by_fiscal_month', 'dealermart')()) }}
{%- endmacro %}

{% macro duckdb__by_fiscal_month() -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        pre_hook="{{ delete_dirty_months() }}",
    ) }}
{%- endmacro %}

{% macro spark__by_fiscal_month() -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['fiscal_month_start'],
        on_schema_change='fail',
        pre_hook="{{ delete_dirty_months() }}",
    ) }}
{%- endmacro %}

{% macro delete_dirty_months() -%}
    {{ return(adapter.dispatch('delete_dirty_months', 'dealermart')()) }}
{%- endmacro %}

{#- In one transaction with the insert. -#}
{% macro duckdb__delete_dirty_months() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where fiscal_month_start in (select month_start from {{ source('meta', 'dirty_month') }})
    {%- endif -%}
{%- endmacro %}

{#- Months are partitions: those with rows are overwritten; one that has lost all of its rows must be dropped. -#}
{% macro spark__delete_dirty_months() -%}
    {%- if is_incremental() and execute -%}
        {%- set months = run_query('select cast(month_start as string) as month_start from ' ~ source('meta', 'dirty_month')).columns[0].values() -%}
        {%- if months -%}
            alter table {{ this }} drop if exists
            {% for month in months %}partition (fiscal_month_start = '{{ month }}'){{ ", " if not loop.last }}{% endfor %}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Whether a relation is a table that by_fiscal_month() keeps. -#}
{% macro is_kept_by_month(relation) -%}
    {%- set found = namespace(kept=false) -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.alias == relation.identifier -%}
            {%- set found.kept = node.config.materialized == 'incremental' -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found.kept) }}
{%- endmacro %}
