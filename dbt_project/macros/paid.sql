{#- Rows of a closed period are those that were paid; all others are as they are reckoned now. -#}
{% macro paid_else_reckoned(paid_rows, reckoned_rows) -%}
with

reckoned as (
    select * from {{ reckoned_rows }}
    where {{ of_this_build('int_incentive__pay_state') }}
),

{{ paid_else(paid_rows) }}

select * from final
{%- endmacro %}

{#- The same of a CTE `reckoned`, which has the rows of this build: CTEs that end with `final`. -#}
{% macro paid_else(paid_rows) -%}
paid as (
    select * from {{ paid_rows }}
    where {{ of_this_build('int_incentive__pay_state') }}
),

closed_period as (
    select * from {{ source('closed', 'period') }}
),

final as (
    select * from paid

    union all

    select reckoned.*
    from reckoned
    left join closed_period
        on
            reckoned.period_id = closed_period.period_id
            and reckoned.scenario_id = closed_period.scenario_id
    where closed_period.period_id is null
)
{%- endmacro %}

{#- What may be learnt of a closed period, in the order in which it is applied; warehouse/causes.py says what each is. -#}
{% macro late_causes() -%}
    {{ return([
        ('late_sale', 'sales that came after the period was closed'),
        ('return', 'returns that came after the period was closed'),
        ('correction', 'sales that were corrected after the period was closed'),
        ('payment', 'payments that came after the period was closed'),
        ('credit', 'credit or hierarchy that changed after the period was closed'),
        ('employment', 'employment or absence that changed after the period was closed'),
        ('target', 'targets that changed after the period was closed'),
        ('kpi', 'measures of KPIs that changed after the period was closed'),
        ('rate', 'exchange rates that changed after the period was closed'),
        ('plan', 'plans that changed after the period was closed'),
        ('manual', 'manual adjustments approved after the period was closed'),
        ('calculation', 'the calculation, which changed after the period was closed'),
    ]) }}
{%- endmacro %}
