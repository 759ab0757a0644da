{#-
    The measures that every sum of sales carries. Sums leave out what is not known, and the counts beside them say
    how many lines that was, so that no sum with a hole is taken for a whole.
-#}
{% macro sales_measure_names() -%}
    {{ return([
        'line_count',
        'no_rate_line_count',
        'no_plan_rate_line_count',
        'no_cost_line_count',
        'no_plan_cost_line_count',
        'net_amount_reporting',
        'net_amount_plan',
        'margin_amount_reporting',
        'margin_amount_plan',
        'costed_net_amount_reporting',
    ]) }}
{%- endmacro %}

{% macro sum_sale_lines(net, net_plan, cost, cost_plan) -%}
    count(*) as line_count,
    count(*) filter (where {{ net }} is null) as no_rate_line_count,
    count(*) filter (where {{ net_plan }} is null) as no_plan_rate_line_count,
    count(*) filter (where {{ net }} is not null and {{ cost }} is null) as no_cost_line_count,
    count(*) filter (where {{ net_plan }} is not null and {{ cost_plan }} is null) as no_plan_cost_line_count,
    cast(coalesce(sum({{ net }}), 0) as decimal(28, 8)) as net_amount_reporting,
    cast(coalesce(sum({{ net_plan }}), 0) as decimal(28, 8)) as net_amount_plan,
    cast(coalesce(sum({{ net }} - {{ cost }}), 0) as decimal(28, 8)) as margin_amount_reporting,
    cast(coalesce(sum({{ net_plan }} - {{ cost_plan }}), 0) as decimal(28, 8)) as margin_amount_plan,
    cast(coalesce(sum({{ net }}) filter (where {{ cost }} is not null), 0) as decimal(28, 8)) as costed_net_amount_reporting
{%- endmacro %}

{% macro sum_sales_measures(relation=none) -%}
    {%- for name in sales_measure_names() %}
    {%- set column = relation ~ '.' ~ name if relation else name -%}
    cast(coalesce(sum({{ column }}), 0) as {{ 'bigint' if name.endswith('_count') else 'decimal(28, 8)' }}) as {{ name }}
    {%- if not loop.last %},
    {% endif %}
    {%- endfor %}
{%- endmacro %}

{#- What a cell of sales sums, and of which expression over a line. What is not known is counted as a share of lines too. -#}
{% macro sales_cell_measures() -%}
    {{ return([
        ('line_share', '1'),
        ('no_rate_share', 'case when net_amount_reporting is null then 1 else 0 end'),
        ('no_quantity_share', 'case when quantity is null then 1 else 0 end'),
        ('no_discount_share', 'case when discount_amount is null then 1 else 0 end'),
        ('invoice_share', 'case when is_invoice then 1 else 0 end'),
        ('discounted_share', 'case when is_invoice and discount_amount is not null then 1 else 0 end'),
        ('unit_quantity', 'quantity'),
        ('net_amount', 'net_amount_reporting'),
        ('gross_amount', 'net_amount_reporting + discount_amount_reporting'),
        ('invoiced_amount', 'case when is_invoice then net_amount_reporting end'),
        ('returned_amount', 'case when not is_invoice then -net_amount_reporting end'),
        ('discount_amount', 'case when is_invoice then discount_amount_reporting end'),
        ('before_discount_amount', 'case when is_invoice then net_amount_reporting + discount_amount_reporting end'),
        ('document_count', 'case when is_first_line then 1 else 0 end'),
    ]) }}
{%- endmacro %}

{#-
    The columns of a cell of sales: as `line` of a line, as `credited` summed by the share that a member is credited with
    (the net amount as it was credited). Parts of a line add up to it.
-#}
{% macro sales_cell_columns(form) -%}
    {%- for name, expression in sales_cell_measures() %}
    {%- if form == 'line' -%}
        cast({{ expression }} as decimal(28, 8)) as {{ name }}
    {%- elif name == 'net_amount' -%}
        cast(coalesce(sum(credit.credited_net_amount_reporting), 0) as decimal(28, 8)) as {{ name }}
    {%- else -%}
        cast(coalesce(
            sum({{ credit_share('measured.' ~ name, 'credit.pct_before', 'credit.credit_pct') }}), 0
        ) as decimal(28, 8)) as {{ name }}
    {%- endif -%}
    {%- if not loop.last %},
    {% endif %}
    {%- endfor %}
{%- endmacro %}

{#-
    KPIs that are sums of sales, so that a target on them is measured over any days: code, the sum, and the count of lines
    for which it is not known (none: it is known of every line that has a rate).
-#}
{% macro sales_sums() -%}
    {{ return([
        ('net_revenue', 'net_amount_plan', none),
        ('gross_margin_amount', 'margin_amount_plan', 'no_plan_cost_line_count'),
    ]) }}
{%- endmacro %}
