-- Grain: one row per fiscal month, member, team of the member and product category on the day of the sale.
{{ by_fiscal_month() }}

with

credit as (
    select * from {{ ref('int_credit__sale_line') }}
    where {{ of_this_build('dirty_month') }}
),

final as (
    select
        fiscal_month_start,
        member_id,
        member_team,
        product_category,
        {{ sum_sale_lines(
            'credited_net_amount_reporting', 'credited_net_amount_plan',
            'credited_cost_amount_reporting', 'credited_cost_amount_plan'
        ) }}
    from credit
    group by fiscal_month_start, member_id, member_team, product_category
)

select * from final
