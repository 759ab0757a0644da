-- Grain: one row per fiscal month, dealer, region, category, member and team credited; what is nobody's is unassigned.
{{ by_fiscal_month() }}

with

-- The brand earns by selling to dealers; what these sell on (sell_out) are the same goods once more.
sale_line as (
    select * from {{ ref('fct_sale_line') }}
    where
        channel is distinct from 'sell_out'
        and {{ of_this_build('dirty_month') }}
),

-- Shares of a line make 100 %, what nobody is credited with included.
credit as (
    select * from {{ ref('int_credit__sale_line') }}
    where {{ of_this_build('dirty_month') }}
),

line as (
    select
        transaction_id,
        line_no,
        fiscal_month_start,
        dealer_id,
        coalesce(dealer_region, '{{ unassigned() }}') as region,
        coalesce(product_category, '{{ unassigned() }}') as product_category,
        quantity,
        discount_amount,
        net_amount_reporting,
        {{ multiply('discount_amount', 'fx_rate') }} as discount_amount_reporting,
        transaction_type = 'invoice' as is_invoice,
        -- A document counts where its first line does, so that documents add up over members.
        transaction_type = 'invoice' and line_no = min(line_no) over (partition by transaction_id, transaction_type)
            as is_first_line
    from sale_line
),

measured as (
    select
        transaction_id,
        line_no,
        fiscal_month_start,
        dealer_id,
        region,
        product_category,
        {{ sales_cell_columns('line') }}
    from line
),

final as (
    select
        measured.fiscal_month_start,
        measured.dealer_id,
        measured.region,
        measured.product_category,
        credit.member_id,
        credit.member_team as team,
        {{ sales_cell_columns('credited') }}
    from measured
    inner join credit
        on
            measured.transaction_id = credit.transaction_id
            and measured.line_no = credit.line_no
    group by
        measured.fiscal_month_start,
        measured.dealer_id,
        measured.region,
        measured.product_category,
        credit.member_id,
        credit.member_team
)

select * from final
