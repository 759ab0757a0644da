{#-
    The part of an amount that lies between two bounds of attainment (NULL: no bound), counted from 0 away, so that
    the slices of bounds that cover everything add up to the amount, whatever its sign. All ends have one scale:
    slices that were rounded apart would no longer add up.
-#}
{% macro attainment_slice(amount, target, lower_bound, upper_bound) -%}
    {{ slice_between(amount, band_end(lower_bound, target), band_end(upper_bound, target)) }}
{%- endmacro %}

{% macro band_end(bound, target) -%}
    cast({{ bound }} * {{ target }} as decimal(28, 10))
{%- endmacro %}

{% macro slice_between(amount, lower_end, upper_end) -%}
    cast(
        greatest(least({{ amount }}, {{ upper_end }}), {{ lower_end }})
        - greatest(least(0, {{ upper_end }}), {{ lower_end }}) as decimal(28, 10)
    )
{%- endmacro %}
