{#-
    Money and shares are DECIMAL; the engine's own division gives a DOUBLE. These macros are the only place where
    an amount is divided, multiplied by a rate, or rounded. Half up means away from zero at a tie, so that a
    return is the mirror image of its sale. Results have 28 digits: where two types of 38 digits meet (in a union, a
    coalesce), the engine takes the smaller scale and drops decimals in silence.
-#}
{% macro exact_divide(numerator, denominator, scale, operand_scale=10) -%}
    {{ return(adapter.dispatch('exact_divide', 'dealermart')(numerator, denominator, scale, operand_scale)) }}
{%- endmacro %}

{% macro duckdb__exact_divide(numerator, denominator, scale, operand_scale) -%}
    {%- set unit = '1' ~ '0' * operand_scale -%}
    {%- set whole_numerator -%}
        cast(cast({{ numerator }} as decimal(38, {{ operand_scale }})) * {{ unit }} as hugeint)
    {%- endset -%}
    {%- set whole_denominator -%}
        cast(cast({{ denominator }} as decimal(38, {{ operand_scale }})) * {{ unit }} as hugeint)
    {%- endset -%}
    {%- set quotient -%}
        cast(
            case when ({{ whole_numerator }} < 0) <> ({{ whole_denominator }} < 0) then -1 else 1 end
            * (
                (2 * abs({{ whole_numerator }}) * {{ '1' ~ '0' * scale }} + abs({{ whole_denominator }}))
                // nullif(2 * abs({{ whole_denominator }}), 0)
            ) as decimal({{ 38 - scale }}, 0)
        )
    {%- endset -%}
    {%- if scale == 0 -%}
        cast({{ quotient }} as decimal(28, 0))
    {%- else -%}
        cast({{ quotient }} * cast('0.{{ "0" * (scale - 1) }}1' as decimal({{ scale }}, {{ scale }})) as decimal(28, {{ scale }}))
    {%- endif -%}
{%- endmacro %}

{#-
    Spark's `div` on decimals answers in BIGINT and wraps in silence, and `/` rounds twice. What divides without a rest is
    exact: the rest is taken off first.
-#}
{% macro spark__exact_divide(numerator, denominator, scale, operand_scale) -%}
    {%- set unit = '1' ~ '0' * operand_scale -%}
    {%- set exact_numerator = 'cast(' ~ numerator ~ ' as decimal(38, ' ~ operand_scale ~ '))' -%}
    {%- set exact_denominator = 'cast(' ~ denominator ~ ' as decimal(38, ' ~ operand_scale ~ '))' -%}
    {%- set whole_numerator = 'cast(abs(' ~ exact_numerator ~ ') * ' ~ unit ~ ' as decimal(38, 0))' -%}
    {%- set whole_denominator = 'cast(abs(' ~ exact_denominator ~ ') * ' ~ unit ~ ' as decimal(29, 0))' -%}
    {%- set dividend = '(2 * ' ~ whole_numerator ~ ' * 1' ~ '0' * scale ~ ' + ' ~ whole_denominator ~ ')' -%}
    {%- set divisor = 'cast(nullif(2 * ' ~ whole_denominator ~ ', 0) as decimal(30, 0))' -%}
    {%- set sign -%}
        case when ({{ exact_numerator }} < 0) <> ({{ exact_denominator }} < 0) then -1 else 1 end
    {%- endset -%}
    {%- set quotient -%}
        cast(({{ dividend }} - {{ dividend }} % {{ divisor }}) / {{ divisor }} as decimal({{ 37 - scale }}, 0))
    {%- endset -%}
    {%- if scale == 0 -%}
        cast({{ sign }} * {{ quotient }} as decimal(28, 0))
    {%- else -%}
        {%- set step = "cast('0." ~ "0" * (scale - 1) ~ "1' as decimal(" ~ scale ~ ", " ~ scale ~ "))" -%}
        cast({{ sign }} * cast({{ quotient }} * {{ step }} as decimal(28, {{ scale }})) as decimal(28, {{ scale }}))
    {%- endif -%}
{%- endmacro %}

{% macro round_half_up(amount, scale) -%}
    cast({{ amount }} as decimal(28, {{ scale }}))
{%- endmacro %}

{#- round() to a scale takes a third of the time of the cast that says the same, and most factors are 1. -#}
{% macro multiply(amount, factor) -%}
    case
        when {{ factor }} = 1 then cast({{ amount }} as decimal(28, 8))
        else cast(round(cast({{ amount }} as decimal(28, 8)) * cast({{ factor }} as decimal(18, 10)), 8) as decimal(28, 8))
    end
{%- endmacro %}
