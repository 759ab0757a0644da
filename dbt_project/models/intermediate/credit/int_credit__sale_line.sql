-- Grain: one row per sale line and member credited with a share of it; what nobody is credited with is unassigned.
{{ by_fiscal_month(in_steps='month') }}

with

-- The brand earns by selling to dealers; what these sell on (sell_out) are the same goods once more.
line as (
    select * from {{ ref('fct_sale_line') }}
    where
        channel is distinct from 'sell_out'
        and {{ of_this_build('dirty_month') }}
),

sold as (
    select
        transaction_id,
        line_no,
        dealer_id,
        seller_id,
        sale_date
    from {{ ref('fct_sale_line') }}
    where
        channel is distinct from 'sell_out'
        and transaction_type = 'invoice'
),

dealer_share as (
    select * from {{ ref('int_credit__dealer_share') }}
    where credit_pct > 0
),

member as (
    select * from {{ ref('dim_member') }}
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

taken_back as (
    select
        transaction_id,
        line_no,
        sale_date,
        original_transaction_id,
        original_line_no
    from line
    where
        transaction_type <> 'invoice'
        and original_transaction_id is not null
),

-- What is taken back goes to whom the sale went to, so that a sale and its full return leave nobody with a rest. Where it names
-- the document alone, the first day of this decides, and its seller if all lines have the same.
original as (
    select
        taken_back.transaction_id,
        taken_back.line_no,
        max(sold.dealer_id) as dealer_id,
        case when count(sold.seller_id) = count(*) and min(sold.seller_id) = max(sold.seller_id) then max(sold.seller_id) end
            as seller_id,
        min(sold.sale_date) as sale_date
    from taken_back
    inner join sold
        on
            taken_back.original_transaction_id = sold.transaction_id
            and coalesce(taken_back.original_line_no = sold.line_no, taken_back.original_line_no is null)
            and taken_back.sale_date >= sold.sale_date
    group by taken_back.transaction_id, taken_back.line_no
),

found as (
    select
        line.transaction_id,
        line.line_no,
        line.transaction_type,
        line.channel,
        line.dealer_id,
        line.dealer_region,
        line.dealer_tier,
        line.product_id,
        line.product_category,
        line.product_subcategory,
        line.product_brand,
        line.sale_date,
        line.fiscal_month_start,
        line.quantity,
        line.discount_amount,
        line.net_amount,
        line.cost_amount,
        line.currency_code,
        line.fx_rate,
        line.plan_fx_rate,
        line.net_amount_reporting,
        line.net_amount_plan,
        line.cost_amount_reporting,
        line.cost_amount_plan,
        coalesce(line.transaction_type = 'invoice', false) or original.sale_date is not null as is_by_sale,
        coalesce(original.dealer_id, line.dealer_id) as credit_dealer_id,
        coalesce(line.seller_id, original.seller_id) as credit_seller_id,
        coalesce(original.sale_date, line.sale_date) as credit_date,
        -- The line that is taken back, by which pay finds what it earned.
        case when original.sale_date is not null and line.original_line_no is not null then line.original_transaction_id end
            as original_transaction_id,
        case when original.sale_date is not null then line.original_line_no end as original_line_no
    from line
    left join original
        on
            line.transaction_id = original.transaction_id
            and line.line_no = original.line_no
),

-- A condition on one side alone, in a join that keeps that side, makes the engine try every pair: it stands in the key instead.
based as (
    select
        *,
        case when is_by_sale then credit_seller_id end as employed_seller_id
    from found
),

-- A seller whom the source names gets the whole line, if employed on the day of the sale. What comes back without naming a
-- sale that is known comes back to whom it names, employed or not.
sold_by as (
    select
        based.*,
        case when member_left.member_id is null then based.credit_seller_id end as seller_id
    from based
    left join member_left
        on
            based.employed_seller_id = member_left.member_id
            and based.credit_date >= member_left.left_from
            and based.credit_date < member_left.left_to
),

shared_by as (
    select
        *,
        case when seller_id is null then credit_dealer_id end as share_dealer_id
    from sold_by
),

-- The dealer's owners share the others; where it has none, they are nobody's.
credited as (
    select
        shared_by.*,
        coalesce(shared_by.seller_id, dealer_share.member_id, '{{ unassigned() }}') as member_id,
        case
            when shared_by.seller_id is not null then 'seller'
            else coalesce(dealer_share.credit_role, '{{ unassigned() }}')
        end as credit_role,
        case
            when shared_by.seller_id is null and dealer_share.member_id is null then 'no owner on the day'
            else dealer_share.unassigned_reason
        end as unassigned_reason,
        cast(coalesce(dealer_share.credit_pct, 100) as decimal(9, 4)) as credit_pct,
        cast(coalesce(dealer_share.pct_before, 0) as decimal(9, 4)) as pct_before
    from shared_by
    left join dealer_share
        on
            shared_by.share_dealer_id = dealer_share.dealer_id
            and shared_by.credit_date >= dealer_share.valid_from
            and shared_by.credit_date < dealer_share.valid_to
),

final as (
    select
        credited.transaction_id,
        credited.line_no,
        credited.transaction_type,
        credited.channel,
        credited.dealer_id,
        credited.dealer_region,
        credited.dealer_tier,
        credited.product_id,
        credited.product_subcategory,
        credited.product_brand,
        credited.member_id,
        credited.credit_role,
        credited.credit_pct,
        credited.pct_before,
        credited.unassigned_reason,
        credited.sale_date,
        credited.credit_date,
        credited.fiscal_month_start,
        credited.original_transaction_id,
        credited.original_line_no,
        credited.quantity,
        credited.discount_amount,
        credited.net_amount,
        credited.cost_amount,
        credited.currency_code,
        credited.fx_rate,
        credited.plan_fx_rate,
        credited.net_amount_plan,
        coalesce(member.team, '{{ unassigned() }}') as member_team,
        credited.product_category,
        {{ credit_share('credited.net_amount_reporting', 'credited.pct_before', 'credited.credit_pct') }} as credited_net_amount_reporting,
        {{ credit_share('credited.net_amount_plan', 'credited.pct_before', 'credited.credit_pct') }} as credited_net_amount_plan,
        {{ credit_share('credited.cost_amount_reporting', 'credited.pct_before', 'credited.credit_pct') }} as credited_cost_amount_reporting,
        {{ credit_share('credited.cost_amount_plan', 'credited.pct_before', 'credited.credit_pct') }} as credited_cost_amount_plan
    from credited
    left join member
        on
            credited.member_id = member.member_id
            and credited.credit_date >= member.valid_from
            and credited.credit_date < member.valid_to
)

select * from final
