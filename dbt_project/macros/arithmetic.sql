{#-
    Money and shares are DECIMAL; the engine's own division gives a DOUBLE. These macros are the only place where
    an amount is divided, multiplied by a rate, or rounded. Half up means away from zero at a tie, so that a
    return is the mirror image of its sale. Results have 28 digits: where two types of 38 digits meet (in a union, a
    coalesce), the engine takes the smaller scale and drops decimals in silence.
-#}
{% macro exact_divide(numerator, denominator, scale, operand_scale=10) -%}
    {{ return(adapter.dispatch('exact_divide', 'dealermart')(numerator, denominator, scale, operand_scale)) }}
{%- endmacro %}

{#-
    The engine divides numbers of 128 bits bit by bit, which takes ten times longer than all else in most models. Where both
    numbers have at most 18 digits and the result is below 10^15, a quotient of doubles is a guess that is at most one off:
    two casts, a quotient and a product each err by 2^-53 of it, 0.45 in all, and adding a half by a sixteenth. What the
    guess leaves of the dividend is reckoned in integers and says whether it is one off, so no digit hangs on a double.
    All else is divided in 128 bits.

    What stands several times in an expression is reckoned once in a select list, but as often as it stands there inside a
    CASE, where most divisions are: five times slower. A parameter of a lambda is a name for what was reckoned before.
-#}
{% macro duckdb__exact_divide(numerator, denominator, scale, operand_scale) -%}
    {%- set unit = '1' ~ '0' * operand_scale -%}
    {%- set step = "cast('0." ~ '0' * (scale - 1) ~ "1' as decimal(" ~ scale ~ ', ' ~ scale ~ '))' -%}
    {#- The digits of each without sign and point as a BIGINT, NULL where they are more than 18. Not money: what stands
        behind the point has at most 10 digits, which a double holds exactly enough to be rounded to them. -#}
    {%- set digits = {} -%}
    {%- for side in ['numerator', 'denominator'] -%}
        {%- set small = 'abs(try_cast(given.' ~ side ~ ' as decimal(18, ' ~ operand_scale ~ ')))' -%}
        {%- set whole = 'cast(floor(' ~ small ~ ') as bigint) * ' ~ unit -%}
        {%- set fraction = 'cast(round(cast(' ~ small ~ ' - floor(' ~ small ~ ') as double) * 1e' ~ operand_scale ~ ') as bigint)' -%}
        {%- do digits.update({side: whole ~ ' + ' ~ fraction}) -%}
    {%- endfor -%}
    {%- set sign = 'case when (pair.numerator < 0) <> (pair.denominator < 0) then -1 else 1 end' -%}
    {%- set whole_numerator = 'cast(pair.numerator * ' ~ unit ~ ' as hugeint)' -%}
    {%- set whole_denominator = 'cast(pair.denominator * ' ~ unit ~ ' as hugeint)' -%}
    {%- set wide_quotient -%}
        cast(
            {{ sign }}
            * (
                (2 * abs({{ whole_numerator }}) * {{ '1' ~ '0' * scale }} + abs({{ whole_denominator }}))
                // nullif(2 * abs({{ whole_denominator }}), 0)
            ) as decimal({{ 38 - scale }}, 0)
        )
    {%- endset -%}
    {#- not money: a guess, which the rest corrects -#}
    {%- set near -%}
        floor(cast(pair.above as double) / cast(nullif(pair.below, 0) as double) * 1e{{ scale }} + 0.5)
    {%- endset -%}
    {%- set rest -%}
        (
            cast(pair.above as hugeint) * 2{{ '0' * scale }} + pair.below
            - 2 * cast(cast({{ near }} as bigint) as hugeint) * pair.below
        )
    {%- endset -%}
    {%- set small_quotient -%}
        cast(
            {{ sign }} * (
                cast({{ near }} as bigint)
                + case when {{ rest }} < 0 then -1 when {{ rest }} >= 2 * cast(pair.below as hugeint) then 1 else 0 end
            ) as decimal(18, 0)
        )
    {%- endset -%}
    list_transform(
        list_transform(
            [{
                'numerator': cast({{ numerator }} as decimal(38, {{ operand_scale }})),
                'denominator': cast({{ denominator }} as decimal(38, {{ operand_scale }}))
            }],
            lambda given: {
                'numerator': given.numerator,
                'denominator': given.denominator,
                'above': {{ digits.numerator }},
                'below': {{ digits.denominator }}
            }
        ),
        lambda pair: case
            -- NULL where one of the numbers has more digits.
            when {{ near }} < 1e15
                then cast({{ small_quotient }}{{ ' * ' ~ step if scale }} as decimal(28, {{ scale }}))
            else cast({{ wide_quotient }}{{ ' * ' ~ step if scale }} as decimal(28, {{ scale }}))
        end
    )[1]
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
    {#- Sail takes the remainder also where the divisor is NULL, of the 0 that it keeps there. -#}
    {%- set divisor = 'cast(coalesce(nullif(2 * ' ~ whole_denominator ~ ', 0), 1) as decimal(30, 0))' -%}
    {%- set sign -%}
        case
            when {{ exact_denominator }} <> 0
                then case when ({{ exact_numerator }} < 0) <> ({{ exact_denominator }} < 0) then -1 else 1 end
        end
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

{#- Most factors are 1. -#}
{% macro multiply(amount, factor) -%}
    case
        when {{ factor }} = 1 then cast({{ amount }} as decimal(28, 8))
        else {{ rounded_product(amount, 8, factor, 10, 8) }}
    end
{%- endmacro %}

{#- The product of an amount and a factor of so many decimals, half up at `scale` decimals. -#}
{% macro rounded_product(amount, amount_scale, factor, factor_scale, scale) -%}
    {{ part_of_product(amount, amount_scale, factor, factor_scale, '1', scale) }}
{%- endmacro %}

{#-
    An amount x factor / base (8 decimals), half up at `scale` decimals; NULL where the base is 0. Every sale line is reckoned so
    several times, and the engine takes 1 to 3 microseconds to round a number of 128 bits and more to divide it. A guess of
    doubles takes a tenth: what it leaves of the product is exact, the quotient of the rest corrects it to one unit at most, and
    what is left then decides that unit (see exact_divide). Not money: no digit hangs on a double. Where 64 bits do not hold a
    number, it is reckoned as all else is.
-#}
{% macro part_of_product(amount, amount_scale, factor, factor_scale, base, scale) -%}
    {{ return(adapter.dispatch('part_of_product', 'dealermart')(amount, amount_scale, factor, factor_scale, base, scale)) }}
{%- endmacro %}

{% macro spark__part_of_product(amount, amount_scale, factor, factor_scale, base, scale) -%}
    {{ wide_part(amount, amount_scale, factor, factor_scale, base, scale) }}
{%- endmacro %}

{% macro wide_part(amount, amount_scale, factor, factor_scale, base, scale) -%}
    {%- if base == '1' -%}
        cast(round(
            cast({{ amount }} as decimal(28, {{ amount_scale }})) * cast({{ factor }} as decimal(28, {{ factor_scale }})), {{ scale }}
        ) as decimal(28, {{ scale }}))
    {%- else -%}
        {{ exact_divide(exact_product(amount, factor), 'nullif(' ~ base ~ ', 0)', scale) }}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__part_of_product(amount, amount_scale, factor, factor_scale, base, scale) -%}
    {%- set wide_base = base if base == '1' else 'found.base' -%}
    {%- set unit = "cast('0." ~ '0' * (scale - 1) ~ "1' as decimal(" ~ scale ~ ', ' ~ scale ~ '))' -%}
    {%- set sign = 'sign(found.amount) * sign(found.factor)' -%}
    {%- set left = '2 * (found.rest - found.more * ' ~ unit ~ ' * found.base) * (' ~ sign ~ ')' -%}
    list_transform(
        list_transform(
            list_transform(
                list_transform(
                    [{
                        'amount': cast({{ amount }} as decimal(28, {{ amount_scale }})),
                        'factor': cast({{ factor }} as decimal(28, {{ factor_scale }})),
                        'base': nullif(cast({{ base }} as decimal(28, 8)), 0)
                    }],
                    lambda given: {
                        'amount': given.amount,
                        'factor': given.factor,
                        'base': given.base,
                        -- NULL where one of them has more digits than 64 bits hold.
                        'near': try_cast(round(
                            cast(try_cast(given.amount as decimal(18, {{ amount_scale }})) as double)  -- not money: a guess
                            * cast(try_cast(given.factor as decimal(18, {{ factor_scale }})) as double)  -- not money: a guess
                            / cast(try_cast(given.base as decimal(18, 8)) as double) * 1e{{ scale }}  -- not money: a guess
                        ) as decimal(18, 0))
                    }
                ),
                lambda near: {
                    'amount': near.amount,
                    'factor': near.factor,
                    'base': near.base,
                    'near': near.near,
                    'rest': case
                        when near.near is not null then near.amount * near.factor - near.near * {{ unit }} * near.base
                    end
                }
            ),
            lambda rest: {
                'amount': rest.amount,
                'factor': rest.factor,
                'base': rest.base,
                'near': rest.near,
                'rest': rest.rest,
                'more': cast(
                    round(cast(rest.rest as double) / cast(rest.base as double) * 1e{{ scale }})  -- not money: a guess
                    as decimal(9, 0)
                )
            }
        ),
        lambda found: case
            when found.near is null then {{ wide_part('found.amount', amount_scale, 'found.factor', factor_scale, wide_base, scale) }}
            else cast((
                found.near + found.more
                -- What is left, twice, away from zero: half a unit is one more.
                + {{ sign }} * sign(found.base)
                * case
                    when {{ left }} >= abs(found.base) * {{ unit }} then 1
                    when {{ left }} < -abs(found.base) * {{ unit }} then -1
                    else 0
                end
            ) * {{ unit }} as decimal(28, {{ scale }}))
        end
    )[1]
{%- endmacro %}

{#- A sum of at most 8 decimals, half up. Numbers of 64 bits, those below 10^10, are rounded ten times faster than wider ones. -#}
{% macro hundredths(amount) -%}
    case
        when abs({{ amount }}) < 10000000000 then cast(cast({{ amount }} as decimal(18, 8)) as decimal(14, 2))
        else cast({{ amount }} as decimal(14, 2))
    end
{%- endmacro %}

{#- The product of an amount of ten decimals and a factor of eight, as exact as 38 digits hold it; for exact_divide() or a cast. -#}
{% macro exact_product(amount, factor) -%}
    {{ return(adapter.dispatch('exact_product', 'dealermart')(amount, factor)) }}
{%- endmacro %}

{% macro duckdb__exact_product(amount, factor) -%}
    (cast({{ amount }} as decimal(28, 10)) * cast({{ factor }} as decimal(28, 8)))
{%- endmacro %}

{#- With allowPrecisionLoss=false the product keeps its 18 decimals. -#}
{% macro spark__exact_product(amount, factor) -%}
    (cast({{ amount }} as decimal(28, 10)) * cast({{ factor }} as decimal(28, 8)))
{%- endmacro %}
