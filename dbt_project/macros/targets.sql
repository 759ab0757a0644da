{#-
    Models of kind `model` that take what is measured and set it against targets. They come after targets are measured, so
    they are not among the models of int_kpi__value, and nobody can be set a target on them.
-#}
{% macro target_models() -%}
    {{ return(['attainment', 'target_stretch', 'target_potential', 'reached_target', 'pipeline_coverage']) }}
{%- endmacro %}

{#- Actual by target, where lower is better target by actual; none for a target that is not above zero, or by an actual of 0. -#}
{% macro attainment_of(actual, target, direction) -%}
    case
        when {{ target }} <= 0 or {{ actual }} is null then cast(null as decimal(28, 8))
        when {{ direction }} = 'lower' and {{ actual }} <= 0 then cast(null as decimal(28, 8))
        when {{ direction }} = 'lower' then cast({{ exact_divide(target, actual, 8) }} as decimal(28, 8))
        else cast({{ exact_divide(actual, target, 8) }} as decimal(28, 8))
    end
{%- endmacro %}

{#- Whether the target is reached. No more than 0 can be wanted of what is better the lower; at least 0 is no target. -#}
{% macro is_target_reached(actual, target, direction) -%}
    case
        when {{ actual }} is null then cast(null as boolean)
        when {{ direction }} = 'lower' and {{ target }} >= 0 then {{ actual }} <= {{ target }}
        when {{ direction }} <> 'lower' and {{ target }} > 0 then {{ actual }} >= {{ target }}
    end
{%- endmacro %}
