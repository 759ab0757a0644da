-- Grain: one row per scenario, payee, plan version, component, rule and event after a sale: what came back of it, or a payment.
{{ by_fiscal_month('int_incentive__pay_state') }}
{%- set line_key = payee_key(['component_id', 'rule_no', 'transaction_id', 'line_no', 'credit_role']) %}
{%- set deal_key = payee_key(['component_id', 'rule_no', 'transaction_id']) %}
{%- set columns = event_columns() %}
with

sale as {{ read_anew() }} (
    select * from {{ ref('int_incentive__matched') }}
    where event_kind = 'sale'
),

credit as (
    select * from {{ ref('int_credit__sale_line') }}
    where
        original_transaction_id is not null
        and pct_before = 0
        and {{ of_this_build('int_incentive__pay_state') }}
),

allocation as (
    select * from {{ ref('fct_payment_allocation') }}
    where {{ of_this_build('int_incentive__pay_state') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

termed as (
    select
        {{ columns_of('component', plan_key(['component_id'])) }},
        component.measure,
        component.accumulate,
        component.returns,
        component.collected_counts_in,
        component.clawback_on,
        component.clawback_days,
        component.clawback_pct,
        component.clawback_linear_months,
        component.measure = 'collected_amount' or component.collected_pct = 100 as is_collected,
        plan.period_type
    from component
    inner join plan on {{ same_key('component', 'plan', plan_key()) }}
),

-- Whole documents of any month that come back or are paid in these.
known_sale as (
    select * from sale
    where transaction_id in (
        select credit.original_transaction_id
        from credit
        union all
        select allocation.transaction_id
        from allocation
    )
),

-- What comes back goes the way that the sale went: to its payees, by its shares, under the plan version of its day. The
-- part of the sale is reckoned in the document's currency, so that a full return leaves nothing, whatever the rates.
came_back as (
    select
        {{ columns_of('known_sale', line_key) }},
        known_sale.event_date as sale_date,
        known_sale.scope_id as sale_scope_id,
        known_sale.currency_code,
        known_sale.credit_pct,
        known_sale.is_first_rule,
        known_sale.document_amount,
        known_sale.document_currency_code,
        known_sale.measure_amount,
        known_sale.units,
        known_sale.net_amount,
        known_sale.cost_amount,
        known_sale.list_amount,
        credit.transaction_id as event_id,
        credit.line_no as event_line_no,
        credit.sale_date as event_date,
        credit.transaction_type,
        credit.net_amount as line_net_amount,
        credit.quantity as line_quantity,
        termed.measure,
        termed.accumulate,
        termed.returns,
        termed.is_collected,
        case
            when termed.clawback_on = 'cancel' and credit.transaction_type <> 'credit_note' then cast(null as string)
            when termed.clawback_on in ('return', 'cancel') then termed.clawback_on
        end as clawback_on,
        termed.clawback_days,
        termed.clawback_pct,
        termed.clawback_linear_months,
        {{ dbt.datediff('known_sale.event_date', 'credit.sale_date', 'day') }} as days_after,
        {{ dbt.datediff('known_sale.event_date', 'credit.sale_date', 'month') }} as months_after,
        fiscal_month.month_start as fiscal_month_start,
        cast(fiscal_month.fiscal_year as string) as fiscal_year,
        case termed.period_type
            when 'month' then fiscal_month.month_id
            when 'quarter' then fiscal_month.quarter_id
            else fiscal_month.year_id
        end as period_id,
        case
            when known_sale.document_currency_code <> credit.currency_code then cast(null as decimal(28, 10))
            else cast({{ exact_divide('credit.net_amount', 'nullif(known_sale.line_net_amount, 0)', 10) }} as decimal(28, 10))
        end as back_share,
        cast({{ exact_divide('credit.quantity', 'nullif(known_sale.line_quantity, 0)', 10) }} as decimal(28, 10)) as back_units_share
    from credit
    inner join known_sale
        on
            credit.original_transaction_id = known_sale.transaction_id
            and credit.original_line_no = known_sale.line_no
    inner join termed on {{ same_key('known_sale', 'termed', plan_key(['component_id'])) }}
    inner join fiscal_month on credit.fiscal_month_start = fiscal_month.month_start
),

judged as (
    select
        *,
        case
            when is_collected then 'no'
            when accumulate = 'period' and period_id = sale_scope_id then 'running'
            when accumulate = 'year_to_date' and fiscal_year = sale_scope_id then 'running'
            when clawback_on is not null and days_after > coalesce(clawback_days, days_after) then 'no'
            when returns = 'rerate' then 'running'
            else 'reversal'
        end as counted,
        case
            when is_collected then 'what was paid on the sale decides'
            when clawback_on is not null and days_after > coalesce(clawback_days, days_after)
                then concat('came back later than ', cast(clawback_days as string), ' days after the sale')
        end as kept_reason
    from came_back
),

-- A deal is off with the return that leaves nothing of the document; this return stands with the line that is the deal. A payee
-- who has a line by two roles has it once.
deal_line as (
    select
        {{ columns_of('known_sale', deal_key) }},
        known_sale.line_no,
        max(known_sale.line_net_amount) as sold_amount,
        max(case when known_sale.measure_amount <> 0 then known_sale.credit_role end) as credit_role,
        sum(known_sale.measure_amount) as measure_amount,
        sum(known_sale.units) as units
    from known_sale
    inner join termed on {{ same_key('known_sale', 'termed', plan_key(['component_id'])) }}
    where termed.measure = 'deals'
    group by {{ columns_of('known_sale', deal_key) }}, known_sale.line_no
),

deal as (
    select
        {{ deal_key | join(', ') }},
        sum(sold_amount) as sold_amount,
        max(case when credit_role is not null then line_no end) as line_no,
        max(credit_role) as credit_role,
        cast(sum(measure_amount) as decimal(28, 8)) as measure_amount,
        cast(sum(units) as decimal(28, 8)) as units
    from deal_line
    group by {{ deal_key | join(', ') }}
),

{% if is_incremental() %}
    deal_back_line as (
        select
            {{ columns_of('known_back', deal_key) }},
            known_back.event_id,
            known_back.event_line_no,
            max(known_back.line_net_amount) as amount
        from {{ this }} as known_back
        inner join termed on {{ same_key('known_back', 'termed', plan_key(['component_id'])) }}
        where
            termed.measure = 'deals'
            and known_back.event_kind = 'return'
            and known_back.back_share is not null
        group by {{ columns_of('known_back', deal_key) }}, known_back.event_id, known_back.event_line_no
    ),

    deal_back as (
        select
            {{ deal_key | join(', ') }},
            sum(amount) as amount
        from deal_back_line
        group by {{ deal_key | join(', ') }}
    ),
{% endif %}

taken_once as (
    select
        *,
        case
            when
                back_share is not null
                and row_number() over (
                    partition by {{ (deal_key + ['line_no', 'event_id', 'event_line_no']) | join(', ') }}
                    order by credit_role nulls last
                ) = 1
                then line_net_amount
            else 0
        end as back_amount
    from judged
),

left_of_deal as (
    select
        taken_once.*,
        deal.line_no as deal_line_no,
        deal.credit_role as deal_role,
        deal.measure_amount as deal_measure_amount,
        deal.units as deal_units,
        deal.sold_amount
        {%- if is_incremental() %}
            + coalesce(deal_back.amount, 0)
        {%- endif %}
        + sum(taken_once.back_amount) over (
            partition by {{ columns_of('taken_once', deal_key) }}
            order by
                taken_once.event_date nulls last, taken_once.event_id nulls last, taken_once.event_line_no nulls last,
                taken_once.line_no nulls last, taken_once.credit_role nulls last
            rows between unbounded preceding and current row
        ) as left_amount
    from taken_once
    left join deal on taken_once.measure = 'deals' and {{ same_key('taken_once', 'deal', deal_key) }}
    {% if is_incremental() %}
        left join deal_back on {{ same_key('taken_once', 'deal_back', deal_key) }}
    {% endif %}
),

ended as (
    select
        *,
        coalesce(measure = 'deals' and left_amount <= 0 and left_amount - back_amount > 0, false) as is_deal_end
    from left_of_deal
),

returned as (
    select
        {{ payee_key(['component_id', 'rule_no', 'transaction_id']) | join(', ') }},
        case when is_deal_end then deal_line_no else line_no end as line_no,
        case when is_deal_end then deal_role else credit_role end as credit_role,
        'return' as event_kind,
        event_id,
        event_line_no,
        event_date,
        fiscal_month_start,
        period_id,
        sale_scope_id as scope_id,
        counted,
        currency_code,
        credit_pct,
        is_first_rule,
        document_amount,
        document_currency_code,
        line_net_amount,
        line_quantity,
        case
            when is_deal_end then -deal_measure_amount
            when measure = 'deals' then cast(0 as decimal(28, 8))
            when measure = 'units' then {{ multiply('measure_amount', 'back_units_share') }}
            else {{ multiply('measure_amount', 'back_share') }}
        end as measure_amount,
        case
            when measure <> 'deals' then {{ multiply('units', 'back_units_share') }}
            when is_deal_end then -deal_units
            else cast(0 as decimal(28, 8))
        end as units,
        {{ multiply('net_amount', 'back_share') }} as net_amount,
        {{ multiply('cost_amount', 'back_share') }} as cost_amount,
        {{ multiply('list_amount', 'back_share') }} as list_amount,
        -- A sale of no measure (a margin below its floor) may have been paid too, so the part is not one of the measure.
        cast(case
            when measure = 'units' then back_units_share
            when is_deal_end then -1
            when measure = 'deals' then 0 * back_share
            else back_share
        end as decimal(28, 10)) as back_share,
        cast(case
            when counted <> 'reversal' or clawback_on is null then 100
            when clawback_linear_months is not null
                then {{ exact_divide('greatest(clawback_linear_months - months_after, 0) * 100', 'clawback_linear_months', 4) }}
            else coalesce(clawback_pct, 100)
        end as decimal(9, 4)) as taken_pct,
        case when counted = 'no' then kept_reason end as uncounted_reason
    from ended
),

paid as (
    select
        {{ columns_of('known_sale', line_key) }},
        'payment' as event_kind,
        allocation.cause_id as event_id,
        known_sale.line_no as event_line_no,
        allocation.allocation_date as event_date,
        allocation.fiscal_month_start,
        case termed.period_type
            when 'month' then fiscal_month.month_id
            when 'quarter' then fiscal_month.quarter_id
            else fiscal_month.year_id
        end as period_id,
        case
            when termed.collected_counts_in = 'sale_period' or termed.accumulate = 'transaction' then known_sale.scope_id
            when termed.accumulate = 'year_to_date' then cast(fiscal_month.fiscal_year as string)
            when termed.period_type = 'month' then fiscal_month.month_id
            when termed.period_type = 'quarter' then fiscal_month.quarter_id
            else fiscal_month.year_id
        end as scope_id,
        'running' as counted,
        known_sale.currency_code,
        known_sale.credit_pct,
        known_sale.is_first_rule,
        known_sale.document_amount,
        known_sale.document_currency_code,
        known_sale.line_net_amount,
        known_sale.line_quantity,
        {%- for column in ['measure_amount', 'units', 'net_amount', 'cost_amount', 'list_amount'] %}
            cast(
                {{ exact_divide('known_sale.' ~ column ~ ' * allocation.amount', 'nullif(known_sale.line_net_amount, 0)', 8) }}
                as decimal(28, 8)
            ) as {{ column }},
        {%- endfor %}
        cast(null as decimal(28, 10)) as back_share,
        cast(100 as decimal(9, 4)) as taken_pct,
        cast(null as string) as uncounted_reason
    from allocation
    inner join known_sale
        on
            allocation.transaction_id = known_sale.transaction_id
            and allocation.line_no = known_sale.line_no
            and allocation.currency_code = known_sale.document_currency_code
            and known_sale.counted = 'when_paid'
    inner join termed on {{ same_key('known_sale', 'termed', plan_key(['component_id'])) }}
    inner join fiscal_month on allocation.fiscal_month_start = fiscal_month.month_start
),

final as (
    {% for relation in ['returned', 'paid'] %}
        select {{ columns | join(', ') }}
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
