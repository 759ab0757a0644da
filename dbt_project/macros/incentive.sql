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

{#- Columns of an event of a component: a sale line, what came back of it, or what was paid on it. -#}
{% macro event_columns() -%}
    {{ return(payee_key(['component_id', 'rule_no', 'transaction_id', 'line_no', 'credit_role']) + [
        'event_kind', 'event_id', 'event_line_no', 'event_date', 'fiscal_month_start', 'period_id', 'scope_id', 'counted',
        'currency_code', 'credit_pct', 'is_first_rule', 'document_amount', 'document_currency_code', 'line_net_amount',
        'line_quantity', 'measure_amount', 'units', 'net_amount', 'cost_amount', 'list_amount', 'back_share', 'taken_pct',
        'uncounted_reason',
    ]) }}
{%- endmacro %}

{#-
    What a part of a basis earns: part x rise / run x factor / divisor x base rate, divided last and once. A part of 0 earns
    nothing, whatever it is divided by.
-#}
{% macro band_pay(part, rise, run, factor, divisor, base_rate) -%}
    case
        when {{ run }} = 1 and {{ factor }} = 1 and {{ divisor }} = 1 and {{ base_rate }} = 1
            then {{ rounded_product(part, 10, rise, 8, 10) }}
        else cast({{ exact_divide(
            exact_product(rounded_product(part, 10, rise, 8, 10), exact_product(factor, base_rate)),
            'nullif(cast(' ~ exact_product(run, divisor) ~ ' as decimal(28, 8)), 0)', 10
        ) }} as decimal(28, 10))
    end
{%- endmacro %}

{#- The part of an amount (10 decimals) that falls to a part of its base (8 decimals each), half up at 10 decimals. -#}
{% macro part_of(amount, part, base) -%}
    {{ part_of_product(amount, 10, part, 8, base, 10) }}
{%- endmacro %}

{#-
    Money as it is paid, in the currency's minor unit (ISO 4217): most have cents, some nothing below the unit; what has
    finer ones is held (is_too_fine). Of an amount that has ten decimals and no more, say so: numbers of 64 bits are rounded
    ten times faster.
-#}
{% macro round_pay(amount, currency, decimals=none) -%}
    cast(case
        when {{ currency }} in ('{{ minor_units()[0] | join("', '") }}') then {{ round_half_up(amount, 0) }}
        {%- if decimals == 10 %}
            when abs({{ amount }}) < 100000000 then cast(cast({{ amount }} as decimal(18, 10)) as decimal(18, 2))
        {%- endif %}
        else {{ round_half_up(amount, 2) }}
    end as decimal(18, 2))
{%- endmacro %}

{#- Whether amounts of a currency have more decimals (ISO 4217) than those of a statement: rounded to two it would be wrong. -#}
{% macro is_too_fine(currency) -%}
    coalesce({{ currency }} in ('{{ (minor_units()[3] + minor_units()[4]) | join("', '") }}'), false)
{%- endmacro %}

{% macro too_fine_reason() -%}
    'the currency has more than two decimals, and amounts of a statement have two'
{%- endmacro %}
