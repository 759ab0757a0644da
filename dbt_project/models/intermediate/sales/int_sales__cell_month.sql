-- Grain: one row per fiscal month, dealer, region, category, member and team credited; what is nobody's is unassigned.
{{ by_fiscal_month(in_steps='month') }}

with

-- The brand earns by selling to dealers; what these sell on (sell_out) are the same goods once more.
sale_line as {{ read_anew() }} (
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

-- Invoices of which lines in months before are dated, too.
elsewhere as (
    select
        transaction_id,
        min(sale_date) as first_date
    from {{ ref('fct_sale_line') }}
    where
        channel is distinct from 'sell_out'
        and transaction_type = 'invoice'
        and not ({{ of_this_build('dirty_month') }})
        -- What is dated later moves no first line.
        and fiscal_month_start < (select max(sale_line.fiscal_month_start) from sale_line)
        and transaction_id in (
            select sale_line.transaction_id
            from sale_line
            where sale_line.transaction_type = 'invoice'
        )
    group by transaction_id
),

line as (
    select
        sale_line.transaction_id,
        sale_line.line_no,
        sale_line.fiscal_month_start,
        sale_line.dealer_id,
        coalesce(sale_line.dealer_region, '{{ unassigned() }}') as region,
        coalesce(sale_line.product_category, '{{ unassigned() }}') as product_category,
        sale_line.quantity,
        sale_line.discount_amount,
        sale_line.net_amount_reporting,
        {{ multiply('sale_line.discount_amount', 'sale_line.fx_rate') }} as discount_amount_reporting,
        sale_line.transaction_type = 'invoice' as is_invoice,
        -- A document counts once, where its first line does, so that documents add up over members. The first is the one of the
        -- earliest date: what comes later moves nothing that is past.
        sale_line.transaction_type = 'invoice'
        and (elsewhere.first_date is null or sale_line.sale_date < elsewhere.first_date)
        and row_number() over (
            partition by sale_line.transaction_id, sale_line.transaction_type
            order by sale_line.sale_date nulls last, sale_line.line_no nulls last
        ) = 1 as is_first_line
    from sale_line
    left join elsewhere on sale_line.transaction_id = elsewhere.transaction_id
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
