{#-
    The part of an amount that a share of so many percent gets, after those before it. A difference of rounded running
    totals: the parts of shares that make 100 % add up to the amount, which shares rounded apart need not.
-#}
{% macro credit_share(amount, pct_before, pct) -%}
    case
        when {{ pct }} = 100 then cast({{ amount }} as decimal(28, 8))
        when {{ pct_before }} = 0 then {{ multiply(amount, pct ~ ' * 0.01') }}
        when {{ pct_before }} + {{ pct }} = 100
            then cast({{ amount }} - {{ multiply(amount, pct_before ~ ' * 0.01') }} as decimal(28, 8))
        else cast(
            {{ multiply(amount, '(' ~ pct_before ~ ' + ' ~ pct ~ ') * 0.01') }}
            - {{ multiply(amount, pct_before ~ ' * 0.01') }} as decimal(28, 8)
        )
    end
{%- endmacro %}

{#- The exclusive end of a version of a member as one who works here: employment ends ownership, duty and rating. -#}
{% macro employed_until(member) -%}
    least({{ member }}.valid_to, coalesce({{ member }}.left_date, {{ open_end() }}))
{%- endmacro %}

{#- The subject of what belongs to nobody: a member, team, region or product category of this name. -#}
{% macro unassigned() -%}
    unassigned
{%- endmacro %}
