{#-
    An incremental model holds whole fiscal months, or whole fiscal periods: those to redo are taken out before their rows are
    written anew. The engine's delete+insert strategy would leave rows whose key has gone from the month. Which ones are redone
    a table of meta says (months that new rows of feeds can have changed), or a state model (what differs from the build
    before; whatever a model reads of a month or period must be in the fingerprint of its state).
-#}
{% macro by_fiscal_month(redone='dirty_month', in_steps=none) -%}
    {{ kept_by('fiscal_month_start', redone, in_steps) }}
{%- endmacro %}

{% macro by_fiscal_period(redone, in_steps=none) -%}
    {{ kept_by('period_id', redone, in_steps) }}
{%- endmacro %}

{% macro kept_by(key, redone, in_steps=none) -%}
    {#- The order of models is known when they are parsed, whatever they read later. -#}
    {%- if not execute %}{% do to_redo(redone, key) %}{% endif -%}
    {{ return(adapter.dispatch('kept_by', 'dealermart')(key, redone, in_steps)) }}
{%- endmacro %}

{% macro duckdb__kept_by(key, redone, in_steps=none) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        pre_hook="{{ delete_redone('" ~ key ~ "', '" ~ redone ~ "') }}",
        meta={'kept_by': key, 'redone': redone, 'in_steps': in_steps},
    ) }}
{%- endmacro %}

{% macro spark__kept_by(key, redone, in_steps=none) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='insert_overwrite',
        partition_by=[key],
        on_schema_change='fail',
        pre_hook="{{ delete_redone('" ~ key ~ "', '" ~ redone ~ "') }}",
        meta={'kept_by': key, 'redone': redone},
    ) }}
{%- endmacro %}

{#- SELECT of the months or periods that this build redoes, by the name of the column that is looked for among them. -#}
{% macro to_redo(redone, column) -%}
    {%- if redone == 'dirty_month' -%}
        select month_start from {{ source('meta', 'dirty_month') }}
    {%- else -%}
        select {{ 'period_id' if column.endswith('period_id') else 'fiscal_month_start' }} from {{ ref(redone) }} where is_changed
    {%- endif -%}
{%- endmacro %}

{#- Condition: the month or period of a row is one that this build redoes. -#}
{% macro of_this_build(redone, column='fiscal_month_start') -%}
    {{ column ~ ' in (' ~ to_redo(redone, column) ~ ')' if is_incremental() else of_this_step(column) }}
{%- endmacro %}

{#-
    A full build of many sale lines goes through the months in steps, each of which fits into memory: a table is created by the
    first and added to by the others, in one transaction. Condition: the month of a row is in the step; of a constant,
    and so true, until create_table_as puts the days of a step in its place.
-#}
{% macro of_this_step(column='fiscal_month_start') -%}
    {{ return(adapter.dispatch('of_this_step', 'dealermart')(column)) }}
{%- endmacro %}

{% macro spark__of_this_step(column='fiscal_month_start') -%}
    true
{%- endmacro %}

{% macro duckdb__of_this_step(column='fiscal_month_start') -%}
    {{ 'true' if column.endswith('period_id') else "'step of " ~ column ~ "' is not null" }}
{%- endmacro %}

{#- What dbt calls create_table_as by. -#}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- set unit = none if temporary else config.get('meta', {}).get('in_steps') -%}
    {%- set found = run_query(
        "select first_month, last_month from meta.build_step where unit = '" ~ unit ~ "' order by first_month"
    ).rows if unit else [] -%}
    {%- set steps = [] -%}
    {%- for step in found if found | length > 1 -%}
        {%- set days = "\\1 between date '" ~ step[0] ~ "' and date '" ~ step[1] ~ "'" -%}
        {%- do steps.append(modules.re.sub("'step of (\\S+)' is not null", days, compiled_code)) -%}
    {%- endfor -%}
    {{ dbt.duckdb__create_table_as(temporary, relation, (steps or [compiled_code])[0], language, partitioned_by, sorted_by) }}
    {%- for sql in steps[1:] %}
        insert into {{ relation }} {{ get_column_names() }} (
            {{ get_select_subquery(sql) }}
        );
    {%- endfor -%}
{%- endmacro %}

{% macro delete_redone(key, redone) -%}
    {{ return(adapter.dispatch('delete_redone', 'dealermart')(key, redone)) }}
{%- endmacro %}

{#- In one transaction with the insert. -#}
{% macro duckdb__delete_redone(key, redone) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where {{ key }} in ({{ to_redo(redone, key) }})
    {%- endif -%}
{%- endmacro %}

{#- Months and periods are partitions: those with rows are overwritten; one that has lost all of its rows must be dropped. -#}
{% macro spark__delete_redone(key, redone) -%}
    {%- if is_incremental() and execute -%}
        {%- set values = run_query(to_redo(redone, key)).columns[0].values() -%}
        {%- if values -%}
            alter table {{ this }} drop if exists
            {% for value in values %}partition ({{ key }} = '{{ value }}'){{ ", " if not loop.last }}{% endfor %}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- A state model holds one fingerprint for each key; what the build before left says what has changed since. -#}
{% macro remembered(key) -%}
    {{ return(adapter.dispatch('remembered', 'dealermart')(key)) }}
{%- endmacro %}

{% macro duckdb__remembered(key) -%}
    {{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key=key, on_schema_change='fail') }}
{%- endmacro %}

{#- Parquet tables cannot be merged into, nor overwritten by what reads them: nothing is remembered, and everything is made anew. -#}
{% macro spark__remembered(key) -%}
    {{ config(materialized='table') }}
{%- endmacro %}

{#- Rows of the CTE named stated, and whether their fingerprint is another than in the build before. -#}
{% macro changes_since_before(key) -%}
    select
        stated.{{ key }},
        stated.fingerprint,
        {{ 'coalesce(was.fingerprint <> stated.fingerprint, true)' if is_incremental() else 'true' }} as is_changed
    from stated
    {% if is_incremental() -%}
        left join {{ this }} as was on stated.{{ key }} = was.{{ key }}
    {%- endif %}
{%- endmacro %}

{#- A text of all rows of a group in which any difference shows, in whatever order they come. -#}
{% macro fingerprint(columns) -%}
    {{ return(adapter.dispatch('fingerprint', 'dealermart')(columns)) }}
{%- endmacro %}

{% macro duckdb__fingerprint(columns) -%}
    cast(sum(cast(hash({{ columns | join(', ') }}) as decimal(38, 0))) as string)
{%- endmacro %}

{#- Its hash leaves out what is NULL. -#}
{% macro spark__fingerprint(columns) -%}
    cast(sum(cast(xxhash64(
        {%- for column in columns %}cast({{ column }} as string), {{ column }} is null{{ ", " if not loop.last }}{% endfor -%}
    ) as decimal(38, 0))) as string)
{%- endmacro %}

{#-
    Which rows of a relation a build redoes, as a condition, if it is kept by fiscal month or period; else nothing. For tests,
    which do not know beforehand whose rows they look at and so cannot ref() what these depend on.
-#}
{% macro rows_redone(relation) -%}
    {%- set found = namespace(condition=none) -%}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.alias == relation.identifier -%}
            {%- set kept = node.config.meta -%}
            {%- if kept.redone == 'dirty_month' -%}
                {%- set found.condition = kept.kept_by ~ ' in (' ~ to_redo(kept.redone, kept.kept_by) ~ ')' -%}
            {%- elif kept.redone -%}
                {%- set state = graph.nodes['model.dealermart.' ~ kept.redone].relation_name -%}
                {%- set found.condition = kept.kept_by ~ ' in (select ' ~ kept.kept_by ~ ' from ' ~ state ~ ' where is_changed)' -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(found.condition) }}
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
