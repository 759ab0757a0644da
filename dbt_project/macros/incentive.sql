{#-
    The part of an amount that lies between two ends (NULL: no end), counted from 0 away, so that the slices of ends that
    cover everything add up to the amount, whatever its sign. All ends have one scale: slices that were rounded apart would
    no longer add up.
-#}
{% macro slice_between(amount, lower_end, upper_end) -%}
    cast(
        greatest(least({{ amount }}, {{ upper_end }}), {{ lower_end }})
        - greatest(least(0, {{ upper_end }}), {{ lower_end }}) as decimal(28, 10)
    )
{%- endmacro %}

{#- Whether a KPI's row is that of the subject a plan names: the payee itself, its team or region, or the company. -#}
{% macro is_subject_of(subject, payee, kpi) -%}
    case {{ subject }}
        when 'team' then 'team'
        when 'region' then 'region'
        when 'company' then 'company'
        else {{ payee }}.payee_type
    end = {{ kpi }}.subject_type
    and case {{ subject }}
        when 'team' then {{ payee }}.team
        when 'region' then {{ payee }}.region
        when 'company' then 'company'
        else {{ payee }}.payee_id
    end = {{ kpi }}.subject_id
{%- endmacro %}

{#-
    What a part of a basis earns: part x rise / run x factor / divisor x base rate, divided last and once. A part of 0 earns
    nothing, whatever it is divided by.
-#}
{% macro band_pay(part, rise, run, factor, divisor, base_rate) -%}
    case
        when {{ run }} = 1 and {{ factor }} = 1 and {{ divisor }} = 1 and {{ base_rate }} = 1
            then cast({{ exact_product(part, rise) }} as decimal(28, 10))
        else cast({{ exact_divide(
            exact_product('cast(' ~ exact_product(part, rise) ~ ' as decimal(28, 10))', exact_product(factor, base_rate)),
            'nullif(cast(' ~ exact_product(run, divisor) ~ ' as decimal(28, 8)), 0)', 10
        ) }} as decimal(28, 10))
    end
{%- endmacro %}

{#- The part of an amount that falls to a part of its base. -#}
{% macro part_of(amount, part, base) -%}
    {{ exact_divide(exact_product(amount, part), 'nullif(' ~ base ~ ', 0)', 10) }}
{%- endmacro %}

{#- Money as it is paid, in the currency's minor unit (ISO 4217): most have cents, some nothing below the unit. -#}
{% macro round_pay(amount, currency) -%}
    cast(case
        when {{ currency }} in ('CLP', 'ISK', 'JPY', 'KRW', 'PYG', 'UGX', 'VND', 'XAF', 'XOF') then {{ round_half_up(amount, 0) }}
        else {{ round_half_up(amount, 2) }}
    end as decimal(18, 2))
{%- endmacro %}
