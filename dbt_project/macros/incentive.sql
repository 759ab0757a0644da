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
            then {{ rounded_product(part, 10, rise, 8, 10) }}
        else cast({{ exact_divide(
            exact_product(rounded_product(part, 10, rise, 8, 10), exact_product(factor, base_rate)),
            'nullif(cast(' ~ exact_product(run, divisor) ~ ' as decimal(28, 8)), 0)', 10
        ) }} as decimal(28, 10))
    end
{%- endmacro %}

{#- The part of an amount (10 decimals) that falls to a part of its base (8 decimals each), half up at 10 decimals. -#}
{% macro part_of(amount, part, base) -%}
    {{ return(adapter.dispatch('part_of', 'dealermart')(amount, part, base)) }}
{%- endmacro %}

{% macro spark__part_of(amount, part, base) -%}
    {{ wide_part(amount, part, base) }}
{%- endmacro %}

{% macro wide_part(amount, part, base) -%}
    {{ exact_divide(exact_product(amount, part), 'nullif(' ~ base ~ ', 0)', 10) }}
{%- endmacro %}

{#-
    Every sale of a statement is such a part, so this is reckoned tens of millions of times, without a division of 128 bits
    (see exact_divide): a quotient of doubles is a guess, what it leaves of the product is exact, the quotient of the rest
    corrects it to one unit at most, and what is left then decides that unit. Not money: no digit hangs on a double.
    Beyond 10^8 (of the base: 10^10) it is divided as all else is.
-#}
{% macro duckdb__part_of(amount, part, base) -%}
    {%- set unit = "cast('0.0000000001' as decimal(10, 10))" -%}
    {%- set left -%}
        2 * (found.rest - found.more * {{ unit }} * found.base) * (sign(found.amount) * sign(found.part))
    {%- endset -%}
    list_transform(
        list_transform(
            list_transform(
                list_transform(
                    [{
                        'amount': cast({{ amount }} as decimal(28, 10)),
                        'part': cast({{ part }} as decimal(28, 8)),
                        'base': nullif(cast({{ base }} as decimal(28, 8)), 0)
                    }],
                    lambda given: {
                        'amount': given.amount,
                        'part': given.part,
                        'base': given.base,
                        -- NULL where one of them has more digits than 64 bits hold.
                        'near': try_cast(round(
                            cast(try_cast(given.amount as decimal(18, 10)) as double)  -- not money: a guess
                            * cast(try_cast(given.part as decimal(18, 8)) as double)  -- not money: a guess
                            / cast(try_cast(given.base as decimal(18, 8)) as double) * 1e10  -- not money: a guess
                        ) as decimal(18, 0))
                    }
                ),
                lambda near: {
                    'amount': near.amount,
                    'part': near.part,
                    'base': near.base,
                    'near': near.near,
                    'rest': case
                        when near.near is not null then near.amount * near.part - near.near * {{ unit }} * near.base
                    end
                }
            ),
            lambda rest: {
                'amount': rest.amount,
                'part': rest.part,
                'base': rest.base,
                'near': rest.near,
                'rest': rest.rest,
                'more': cast(round(cast(rest.rest as double) / cast(rest.base as double) * 1e10) as decimal(9, 0))  -- not money: a guess
            }
        ),
        lambda found: case
            when found.near is null
                then {{ wide_part('found.amount', 'found.part', 'found.base') }}
            else cast((
                found.near + found.more
                -- What is left, twice, away from zero: half a unit is one more.
                + sign(found.amount) * sign(found.part) * sign(found.base)
                * case
                    when {{ left }} >= abs(found.base) * {{ unit }} then 1
                    when {{ left }} < -abs(found.base) * {{ unit }} then -1
                    else 0
                end
            ) * {{ unit }} as decimal(28, 10))
        end
    )[1]
{%- endmacro %}

{#-
    Money as it is paid, in the currency's minor unit (ISO 4217): most have cents, some nothing below the unit. Of an amount
    that has ten decimals and no more, say so: numbers of 64 bits are rounded ten times faster.
-#}
{% macro round_pay(amount, currency, decimals=none) -%}
    cast(case
        when {{ currency }} in ('CLP', 'ISK', 'JPY', 'KRW', 'PYG', 'UGX', 'VND', 'XAF', 'XOF') then {{ round_half_up(amount, 0) }}
        {%- if decimals == 10 %}
            when abs({{ amount }}) < 100000000 then cast(cast({{ amount }} as decimal(18, 10)) as decimal(18, 2))
        {%- endif %}
        else {{ round_half_up(amount, 2) }}
    end as decimal(18, 2))
{%- endmacro %}
