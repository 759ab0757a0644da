{#-
    The part of an amount that lies between two bounds of attainment (NULL: no bound), counted from 0 away, so that
    the slices of bounds that cover everything add up to the amount, whatever its sign.
-#}
{% macro attainment_slice(amount, target, lower_bound, upper_bound) -%}
    cast(
        greatest(
            least({{ amount }}, {{ upper_bound }} * {{ target }}),
            {{ lower_bound }} * {{ target }}
        )
        - greatest(
            least(0, {{ upper_bound }} * {{ target }}),
            {{ lower_bound }} * {{ target }}
        ) as decimal(28, 10)
    )
{%- endmacro %}
