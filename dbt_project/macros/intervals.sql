{#-
    95 % intervals. A root needs floating point; the inputs are counts or exact sums, and the result is cast back, so
    the same inputs give the same bounds. Both bounds are NULL where there is nothing to take them over.
-#}
{% macro wilson_bound(successes, trials, side) -%}
    {%- set sign = '-' if side == 'low' else '+' -%}
    {#- not money: counts -#}{%- set n = 'cast(' ~ trials ~ ' as double)' -%}
    {#- not money: a share of counts -#}{%- set p = '(cast(' ~ successes ~ ' as double) / ' ~ n ~ ')' -%}
    {%- set z = '1.959963984540054e0' -%}
    case
        when {{ trials }} > 0
            then cast(
                least(1e0, greatest(0e0, (
                    {{ p }} + {{ z }} * {{ z }} / (2 * {{ n }}) {# not money: a share #}
                    {{ sign }} {{ z }} * sqrt(
                        ({{ p }} * (1 - {{ p }}) + {{ z }} * {{ z }} / (4 * {{ n }})) / {{ n }} {# not money: a share #}
                    )
                ) / (1 + {{ z }} * {{ z }} / {{ n }}))) as decimal(18, 8) {# not money: a share #}
            )
    end
{%- endmacro %}

{% macro mean_bound(total, total_of_squares, trials, side) -%}
    {%- set sign = '-' if side == 'low' else '+' -%}
    {#- not money: counts -#}{%- set n = 'cast(' ~ trials ~ ' as double)' -%}
    {#- not money: a mean of scores -#}{%- set mean = '(cast(' ~ total ~ ' as double) / ' ~ n ~ ')' -%}
    {#- not money: squares of scores -#}{%- set squares = 'cast(' ~ total_of_squares ~ ' as double)' -%}
    case
        when {{ trials }} > 1
            then cast(
                {{ mean }} {{ sign }} 1.959963984540054e0 * sqrt(
                    greatest(0e0, {{ squares }} - {{ n }} * {{ mean }} * {{ mean }})
                    / (({{ n }} - 1) * {{ n }}) {# not money: a variance of scores #}
                ) as decimal(18, 8)
            )
    end
{%- endmacro %}

{#- Of promoters and detractors among answers, in points: the variance of a value that is 1, 0 or -1. -#}
{% macro net_promoter_bound(promoters, detractors, answers, side) -%}
    {%- set sign = '-' if side == 'low' else '+' -%}
    {#- not money: counts -#}{%- set n = 'cast(' ~ answers ~ ' as double)' -%}
    {#- not money: a share of counts -#}{%- set up = '(cast(' ~ promoters ~ ' as double) / ' ~ n ~ ')' -%}
    {#- not money: a share of counts -#}{%- set down = '(cast(' ~ detractors ~ ' as double) / ' ~ n ~ ')' -%}
    {%- set score = '(' ~ up ~ ' - ' ~ down ~ ')' -%}
    case
        when {{ answers }} > 0
            then cast(
                100 * least(1e0, greatest(-1e0,
                    {{ score }} {{ sign }} 1.959963984540054e0 * sqrt(
                        greatest(0e0, {{ up }} + {{ down }} - {{ score }} * {{ score }}) / {{ n }} {# not money: a variance #}
                    )
                )) as decimal(18, 8)
            )
    end
{%- endmacro %}

{#-
    Of a ratio of sums over clusters, by the linearised variance: n / (n - 1) times the sum of (y - R x)^2 over the square
    of the denominator. W. G. Cochran, Sampling Techniques, 3rd edition, section 6.3.
-#}
{% macro cluster_bound(numerator, denominator, numerator_squares, products, denominator_squares, clusters, side) -%}
    {%- set sign = '-' if side == 'low' else '+' -%}
    {#- not money: counts -#}{%- set n = 'cast(' ~ clusters ~ ' as double)' -%}
    {#- not money: a sum for a variance -#}{%- set x = 'cast(' ~ denominator ~ ' as double)' -%}
    {#- not money: a ratio for a variance -#}{%- set r = '(cast(' ~ numerator ~ ' as double) / ' ~ x ~ ')' -%}
    case
        when {{ clusters }} > 1 and {{ denominator }} > 0
            then cast(
                {{ r }} {{ sign }} 1.959963984540054e0 * sqrt(
                    greatest(0e0, (
                        cast({{ numerator_squares }} as double) {# not money: a variance #}
                        - 2 * {{ r }} * cast({{ products }} as double) {# not money: a variance #}
                        + {{ r }} * {{ r }} * cast({{ denominator_squares }} as double) {# not money: a variance #}
                    ) * {{ n }} / ({{ n }} - 1)) {# not money: a variance #}
                ) / {{ x }} as decimal(18, 8) {# not money: a share #}
            )
    end
{%- endmacro %}

{#- Standard deviation of values by their sum, the sum of their squares and their number; NULL for fewer than two. -#}
{% macro standard_deviation(total, total_of_squares, trials) -%}
    {#- not money: counts -#}{%- set n = 'cast(' ~ trials ~ ' as double)' -%}
    {#- not money: a sum of scores -#}{%- set sum = 'cast(' ~ total ~ ' as double)' -%}
    case
        when {{ trials }} > 1
            then cast(
                sqrt(
                    greatest(0e0, cast({{ total_of_squares }} as double) - {{ sum }} * {{ sum }} / {{ n }}) {# not money: a variance #}
                    / ({{ n }} - 1) {# not money: a variance #}
                ) as decimal(18, 8)
            )
    end
{%- endmacro %}

{#-
    Of a difference of two means by the variance of each (B. L. Welch, Biometrika 34, 1947), with the quantile of the normal
    distribution. Arguments are triples: sum, sum of squares, number.
-#}
{% macro difference_bound(first, second, side) -%}
    {%- set sign = '-' if side == 'low' else '+' -%}
    {%- set parts = [] -%}
    {%- for total, squares, trials in [first, second] -%}
        {#- not money: counts -#}{%- set n = 'cast(' ~ trials ~ ' as double)' -%}
        {#- not money: a mean of scores -#}{%- set mean = '(cast(' ~ total ~ ' as double) / ' ~ n ~ ')' -%}
        {%- set rest -%}
            greatest(0e0, cast({{ squares }} as double) - {{ n }} * {{ mean }} * {{ mean }}) / (({{ n }} - 1) * {{ n }}) {# not money: a variance #}
        {%- endset -%}
        {%- do parts.append((mean, rest)) -%}
    {%- endfor -%}
    case
        when {{ first[2] }} > 1 and {{ second[2] }} > 1
            then cast(
                {{ parts[0][0] }} - {{ parts[1][0] }}
                {{ sign }} 1.959963984540054e0 * sqrt({{ parts[0][1] }} + {{ parts[1][1] }}) as decimal(18, 8)
            )
    end
{%- endmacro %}
