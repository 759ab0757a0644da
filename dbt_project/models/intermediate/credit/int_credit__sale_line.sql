-- Grain: one row per sale line and member credited with a share of it.
{{ by_fiscal_month() }}

with

-- The brand earns by selling to dealers; what these sell on (sell_out) are the same goods once more.
line as (
    select * from {{ ref('fct_sale_line') }}
    where
        channel is distinct from 'sell_out'
        {% if is_incremental() %}
            and fiscal_month_start in (select month_start from {{ source('meta', 'dirty_month') }})
        {% endif %}
),

dealer_share as (
    select * from {{ ref('int_credit__dealer_share') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

credited as (
    -- A seller whom the source names gets the whole line ...
    select
        line.transaction_id,
        line.line_no,
        line.seller_id as member_id,
        'seller' as credit_role,
        cast(100 as decimal(9, 4)) as credit_pct,
        cast(0 as decimal(9, 4)) as pct_before,
        line.sale_date,
        line.fiscal_month_start,
        line.product_category,
        line.net_amount_reporting,
        line.net_amount_plan,
        line.cost_amount_reporting,
        line.cost_amount_plan
    from line
    where line.seller_id is not null

    union all

    -- ... and the dealer's owners share the others.
    select
        line.transaction_id,
        line.line_no,
        dealer_share.member_id,
        dealer_share.credit_role,
        dealer_share.credit_pct,
        dealer_share.pct_before,
        line.sale_date,
        line.fiscal_month_start,
        line.product_category,
        line.net_amount_reporting,
        line.net_amount_plan,
        line.cost_amount_reporting,
        line.cost_amount_plan
    from line
    inner join dealer_share
        on
            line.dealer_id = dealer_share.dealer_id
            and line.sale_date >= dealer_share.valid_from
            and line.sale_date < dealer_share.valid_to
    where
        line.seller_id is null
        and dealer_share.held_reason is null
        and dealer_share.credit_pct > 0
),

final as (
    select
        credited.transaction_id,
        credited.line_no,
        credited.member_id,
        credited.credit_role,
        credited.credit_pct,
        credited.sale_date,
        credited.fiscal_month_start,
        member.team as member_team,
        credited.product_category,
        {{ credit_share('credited.net_amount_reporting', 'credited.pct_before', 'credited.credit_pct') }} as credited_net_amount_reporting,
        {{ credit_share('credited.net_amount_plan', 'credited.pct_before', 'credited.credit_pct') }} as credited_net_amount_plan,
        {{ credit_share('credited.cost_amount_reporting', 'credited.pct_before', 'credited.credit_pct') }} as credited_cost_amount_reporting,
        {{ credit_share('credited.cost_amount_plan', 'credited.pct_before', 'credited.credit_pct') }} as credited_cost_amount_plan
    from credited
    left join member
        on
            credited.member_id = member.member_id
            and credited.sale_date >= member.valid_from
            and credited.sale_date < member.valid_to
)

select * from final
