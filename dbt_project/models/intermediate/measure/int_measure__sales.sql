-- Grain: one row per cell of sales (month, dealer, region, category, member and team credited) and measure.
{{ by_fiscal_month() }}
with

cell as (
    select * from {{ ref('int_sales__cell_month') }}
    where {{ of_this_build('dirty_month') }}
),

named as (
    select
        *,
        concat_ws('|', dealer_id, region, product_category, member_id, team, cast(fiscal_month_start as string)) as event_id
    from cell
),

-- Sums are summed already; a cell with a hole has no sum, for it is not known.
final as (
    {% for measure_code, value, hole, condition in [
        ('sales_units', 'unit_quantity', 'no_quantity_share', 'line_share <> 0'),
        ('sales_before_discount', 'gross_amount', 'no_rate_share + no_discount_share', 'line_share <> 0'),
        ('sales_invoiced', 'invoiced_amount', 'no_rate_share', 'invoice_share <> 0'),
        ('sales_returned', 'returned_amount', 'no_rate_share', 'line_share <> invoice_share'),
        ('sales_documents', 'document_count', '0', 'invoice_share <> 0'),
        ('sales_discount', 'discount_amount', 'no_rate_share', 'discounted_share <> 0'),
        ('sales_invoiced_before_discount', 'before_discount_amount', 'no_rate_share', 'discounted_share <> 0'),
    ] %}
        select
            event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast(case when {{ hole }} = 0 then {{ value }} end as decimal(18, 8)) as value
        from named
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
