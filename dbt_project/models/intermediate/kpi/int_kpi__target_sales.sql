-- Grain: one row per target on a sum of sales with any sale inside its window.
with

target as (
    select *
    from {{ ref('int_kpi__target') }}
    where basis = 'sales'
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

subject_month as (
    select * from {{ ref('int_kpi__subject_month') }}
),

sale_line as (
    select * from {{ ref('fct_sale_line') }}
    where channel is distinct from 'sell_out'
),

credit as (
    select * from {{ ref('int_credit__sale_line') }}
),

-- A window is its whole fiscal months, which are summed already, and the days at its edges, which lines are read for.
target_month as (
    select
        target.target_id,
        target.subject_type,
        target.subject_id,
        target.product_category,
        target.valid_from,
        target.valid_to,
        fiscal_month.month_start,
        fiscal_month.month_start >= target.valid_from and fiscal_month.month_end <= target.valid_to as is_whole
    from target
    inner join fiscal_month
        on
            target.valid_to > fiscal_month.month_start
            and target.valid_from < fiscal_month.month_end
),

whole_month as (
    select
        target_month.target_id,
        {{ sum_sales_measures('subject_month') }}
    from target_month
    inner join subject_month
        on
            target_month.subject_type = subject_month.subject_type
            and target_month.subject_id = subject_month.subject_id
            and target_month.month_start = subject_month.fiscal_month_start
    where
        target_month.is_whole
        and (target_month.product_category is null or target_month.product_category = subject_month.product_category)
    group by target_month.target_id
),

{% set sides = [
    ('dealer', 'sale_line', 'sale_line.dealer_id', ''),
    ('region', 'sale_line', 'sale_line.dealer_region', ''),
    ('company', 'sale_line', "'company'", ''),
    ('member', 'credit', 'credit.member_id', 'credited_'),
    ('team', 'credit', 'credit.member_team', 'credited_'),
] %}
{% for subject_type, relation, subject_id, prefix in sides %}
    {{ subject_type }}_edge as (
        select
            target_month.target_id,
        {{ sum_sale_lines(
            relation ~ '.' ~ prefix ~ 'net_amount_reporting',
            relation ~ '.' ~ prefix ~ 'net_amount_plan',
            relation ~ '.' ~ prefix ~ 'cost_amount_reporting',
            relation ~ '.' ~ prefix ~ 'cost_amount_plan'
        ) }}
        from target_month
        inner join {{ relation }}
            on
                target_month.month_start = {{ relation }}.fiscal_month_start
                and target_month.subject_id = {{ subject_id }}
                and {{ relation }}.sale_date >= target_month.valid_from
                and {{ relation }}.sale_date < target_month.valid_to
        where
            not target_month.is_whole
            and target_month.subject_type = '{{ subject_type }}'
            and (target_month.product_category is null or target_month.product_category = {{ relation }}.product_category)
        group by target_month.target_id
    ),

{% endfor %}
part as (
    {% for branch in ['whole_month', 'dealer_edge', 'region_edge', 'company_edge', 'member_edge', 'team_edge'] %}
        select
            target_id,
            {{ sales_measure_names() | join(',\n            ') }}
        from {{ branch }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    select
        target_id,
        {{ sum_sales_measures() }}
    from part
    group by target_id
)

select * from final
