-- Grain: one row per subject (dealer, region, company, member, team, category), fiscal month and product category with sales.
with

dealer_month as (
    select * from {{ ref('int_sales__dealer_month') }}
),

member_month as (
    select * from {{ ref('int_credit__member_month') }}
),

final as (
    select
        'dealer' as subject_type,
        dealer_id as subject_id,
        fiscal_month_start,
        product_category,
        {{ sum_sales_measures() }}
    from dealer_month
    group by dealer_id, fiscal_month_start, product_category

    union all

    select
        'region' as subject_type,
        coalesce(dealer_region, '{{ unassigned() }}') as subject_id,
        fiscal_month_start,
        product_category,
        {{ sum_sales_measures() }}
    from dealer_month
    group by dealer_region, fiscal_month_start, product_category

    union all

    -- The company's sales are all lines, credited to a member or not.
    select
        'company' as subject_type,
        'company' as subject_id,
        fiscal_month_start,
        product_category,
        {{ sum_sales_measures() }}
    from dealer_month
    group by fiscal_month_start, product_category

    union all

    select
        'category' as subject_type,
        coalesce(product_category, '{{ unassigned() }}') as subject_id,
        fiscal_month_start,
        product_category,
        {{ sum_sales_measures() }}
    from dealer_month
    group by product_category, fiscal_month_start

    union all

    select
        'member' as subject_type,
        member_id as subject_id,
        fiscal_month_start,
        product_category,
        {{ sum_sales_measures() }}
    from member_month
    group by member_id, fiscal_month_start, product_category

    union all

    select
        'team' as subject_type,
        member_team as subject_id,
        fiscal_month_start,
        product_category,
        {{ sum_sales_measures() }}
    from member_month
    group by member_team, fiscal_month_start, product_category
)

select * from final
