{#-
    An incremental model holds whole fiscal months: the months to redo are taken out before their rows are written anew.
    The engine's delete+insert strategy would leave rows whose key has gone from the month.
-#}
{% macro by_fiscal_month(dirty='dirty_month') -%}
    {{ return(adapter.dispatch('by_fiscal_month', 'dealermart')(dirty)) }}
{%- endmacro %}

{% macro duckdb__by_fiscal_month(dirty) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        pre_hook="{{ delete_dirty_months('" ~ dirty ~ "') }}",
    ) }}
{%- endmacro %}

{% macro spark__by_fiscal_month(dirty) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=['fiscal_month_start'],
        on_schema_change='fail',
        pre_hook="{{ delete_dirty_months('" ~ dirty ~ "') }}",
    ) }}
{%- endmacro %}

{% macro delete_dirty_months(dirty='dirty_month') -%}
    {{ return(adapter.dispatch('delete_dirty_months', 'dealermart')(dirty)) }}
{%- endmacro %}

{#- In one transaction with the insert. -#}
{% macro duckdb__delete_dirty_months(dirty) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where fiscal_month_start in (select month_start from {{ source('meta', dirty) }})
    {%- endif -%}
{%- endmacro %}

{#- Months are partitions: those with rows are overwritten; one that has lost all of its rows must be dropped. -#}
{% macro spark__delete_dirty_months(dirty) -%}
    {%- if is_incremental() and execute -%}
        {%- set months = run_query('select cast(month_start as string) as month_start from ' ~ source('meta', dirty)).columns[0].values() -%}
        {%- if months -%}
            alter table {{ this }} drop if exists
            {% for month in months %}partition (fiscal_month_start = '{{ month }}'){{ ", " if not loop.last }}{% endfor %}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Which months of a relation a build redoes, if by_fiscal_month() keeps it; else nothing. -#}
{% macro months_redone(relation) -%}
    {%- set found = namespace(dirty=none) -%}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.alias == relation.identifier -%}
            {%- if node.config.materialized == 'incremental' -%}
                {%- set found.dirty = 'dirty_pay_month' if 'dirty_pay_month' in node.raw_code else 'dirty_month' -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found.dirty) }}
{%- endmacro %}

{#-
    A CTE that is read twice is kept whole by the engine, on disk where it is large. With this word it is reckoned for each
    reader instead, who takes only the rows and columns it asks for: `name as {{ read_anew() }} (`.
-#}
{% macro read_anew() -%}
    {{ return(adapter.dispatch('read_anew', 'dealermart')()) }}
{%- endmacro %}

{% macro spark__read_anew() -%}
{%- endmacro %}

{% macro duckdb__read_anew() -%}
    not materialized
{%- endmacro %}
