{#- What a filter of a plan may ask. -#}
{% macro filter_columns() -%}
    {{ return([
        'product_category', 'product', 'product_subcategory', 'brand', 'dealer', 'dealer_tier', 'region', 'channel',
        'is_new_dealer', 'deal_amount_from', 'deal_amount_to', 'margin_pct_from', 'margin_pct_to', 'discount_pct_from',
        'discount_pct_to',
    ]) }}
{%- endmacro %}

{#- Whether a sale line passes a filter of a plan. Shares are compared by multiplication: a rounded quotient could reach a mark
    that the line does not. What is not known passes no filter that asks for it. Codes are looked for as they stand: as a
    pattern, the underscore in one would stand for any sign. -#}
{% macro passes_filter(line, asked, part) -%}
    {%- set filter = asked ~ '.' ~ part -%}
    ({{ filter }}is_new_dealer is null or {{ filter }}is_new_dealer = {{ line }}.is_new_dealer)
    {%- for value, list in [
        ('product_category', 'product_category'), ('product_id', 'product'), ('product_subcategory', 'product_subcategory'),
        ('product_brand', 'brand'), ('dealer_id', 'dealer'), ('dealer_tier', 'dealer_tier'), ('dealer_region', 'region'),
        ('channel', 'channel'),
    ] %}
        and ({{ filter }}{{ list }} is null or instr({{ filter }}{{ list }}, '|' || {{ line }}.{{ value }} || '|') > 0)
    {%- endfor %}
    and ({{ filter }}deal_amount_from is null or {{ line }}.document_amount >= {{ filter }}deal_amount_from)
    and ({{ filter }}deal_amount_to is null or {{ line }}.document_amount < {{ filter }}deal_amount_to)
    and ({{ filter }}margin_pct_from is null or {{ line }}.margin_amount >= {{ filter }}margin_pct_from * {{ line }}.net_amount)
    and ({{ filter }}margin_pct_to is null or {{ line }}.margin_amount < {{ filter }}margin_pct_to * {{ line }}.net_amount)
    and ({{ filter }}discount_pct_from is null or {{ line }}.discount_amount >= {{ filter }}discount_pct_from * {{ line }}.list_amount)
    and ({{ filter }}discount_pct_to is null or {{ line }}.discount_amount < {{ filter }}discount_pct_to * {{ line }}.list_amount)
{%- endmacro %}

{#- An amount in the payee's currency: times the rate of its own, by that of the payee's. A rate of 0 is not known. -#}
{% macro to_pay_currency(amount, rate, divisor) -%}
    case
        when {{ divisor }} is null then {{ multiply(amount, rate) }}
        else cast({{ exact_divide('(' ~ multiply(amount, rate) ~ ')', 'nullif(' ~ divisor ~ ', 0)', 8) }} as decimal(28, 8))
    end
{%- endmacro %}
