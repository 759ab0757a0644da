{#- For whom measures of events are summed: subject type, and the column of an event that names the subject. -#}
{% macro measure_subjects() -%}
    {{ return([
        ('member', 'member_id'), ('dealer', 'dealer_id'), ('team', 'team'), ('region', 'region'),
        ('company', "'company'"), ('category', 'product_category'),
    ]) }}
{%- endmacro %}

{% macro median(value) -%}
    {{ return(adapter.dispatch('median', 'dealermart')(value)) }}
{%- endmacro %}

{#- The engine cuts off what lies between two values; with one decimal more than they have, half of their sum is whole. -#}
{% macro duckdb__median(value) -%}
    median(cast({{ value }} as decimal(28, 9)))
{%- endmacro %}

{#- Spark's median is a double: of twice the values without their 8 decimals it is a whole number, which a double holds. -#}
{% macro spark__median(value) -%}
    cast(
        cast(percentile({{ value }} * 200000000, 0.5) as decimal(28, 0)) * cast('0.000000005' as decimal(9, 9))
        as decimal(28, 8)
    )
{%- endmacro %}

{#- Rows of subject, period and KPI as one row of each subject and period, with a column of the value of each KPI. -#}
{% macro a_column_per_kpi(relation, keys, kpis) -%}
    {{ return(adapter.dispatch('a_column_per_kpi', 'dealermart')(relation, keys, kpis)) }}
{%- endmacro %}

{#- A hundred maxima with a filter each take the engine twelve times as long. -#}
{% macro duckdb__a_column_per_kpi(relation, keys, kpis) -%}
    select
        {{ (keys + kpis) | join(',\n        ') }}
    from {{ relation }}
    pivot (max(value) for kpi_code in ('{{ kpis | join("', '") }}'))
{%- endmacro %}

{% macro spark__a_column_per_kpi(relation, keys, kpis) -%}
    select
        {{ keys | join(',\n        ') }},
        {% for kpi in kpis -%}
            max(case when kpi_code = '{{ kpi }}' then value end) as {{ kpi }}{{ "," if not loop.last }}
        {% endfor -%}
    from {{ relation }}
    group by {{ keys | join(', ') }}
{%- endmacro %}
