-- Grain: one row per scenario, payee, plan version, component, rule and sale line (or return of no sale that is known) matched.
{{ by_fiscal_month('int_incentive__pay_state') }}
{%- set roles = ['owner', 'co_owner', 'seller', 'overlay', 'rollup', 'dealer'] %}
{%- set kept = [
    'scenario_id', 'payee_type', 'payee_id', 'plan_id', 'plan_version', 'component_id', 'period_type',
    'measure', 'accumulate', 'is_collected', 'is_last_year', 'counted_date', 'credit_role', 'credit_pct', 'pct_before', 'transaction_id',
    'line_no', 'transaction_type', 'dealer_id', 'quantity', 'document_currency_code', 'net_amount', 'cost_amount', 'list_amount',
    'measured_amount', 'document_amount', 'currency_code', 'line_rate', 'line_divisor',
] %}
{%- set line_columns = [
    'transaction_id', 'line_no', 'transaction_type', 'channel', 'dealer_id', 'dealer_region', 'dealer_tier', 'product_id',
    'product_category', 'product_subcategory', 'product_brand', 'sale_date', 'fiscal_month_start', 'quantity', 'discount_amount',
    'net_amount', 'cost_amount', 'currency_code', 'fx_rate', 'plan_fx_rate', 'net_amount_plan',
] %}
{%- set read_lines = ['fiscal_month_start in (select read_month.month_start from read_month)'] %}
{%- if is_incremental() %}
    {%- do read_lines.append(
        'fiscal_month_start not in (select read_month.month_start from read_month)'
        ~ ' and transaction_id in (select spread.transaction_id from spread)'
    ) %}
{%- endif %}
{%- set line_key = payee_key(['component_id', 'is_last_year', 'transaction_id', 'line_no', 'credit_role']) %}
with

component as (
    select * from {{ source('config', 'plan_component') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

-- The months of this build; and those a year before, for targets that grow from them.
read_month as (
    select month_start
    from fiscal_month
    where {{ of_this_build('int_incentive__pay_state', 'month_start') }}

    union

    select cast({{ dbt.dateadd('year', -1, 'month_start') }} as date) as month_start
    from fiscal_month
    where
        {{ of_this_build('int_incentive__pay_state', 'month_start') }}
        and exists (
            select 1
            from component
            where component.target_kind = 'last_year'
        )
),

{% if is_incremental() %}
    -- Invoices that are counted as deals, with lines in these months and in others: which line is the first is a question
    -- to all of them.
    counts_deals as (
        select max(1) as is_asked
        from component
        where measure = 'deals'
        having count(*) > 0
    ),

    spread as (
        select sale_line.transaction_id
        from {{ ref('fct_sale_line') }} as sale_line
        where
            sale_line.transaction_type = 'invoice'
            and sale_line.transaction_id in (
                select begun.transaction_id
                from {{ ref('fct_sale_line') }} as begun
                cross join counts_deals
                where begun.fiscal_month_start in (select read_month.month_start from read_month)
            )
        group by sale_line.transaction_id
        having min(sale_line.fiscal_month_start) < max(sale_line.fiscal_month_start)
    ),
{% endif %}

credited as {{ read_anew() }} (
    {% for condition in read_lines %}
        select
            member_id,
            credit_role,
            credit_pct,
            pct_before,
            credit_date,
            original_transaction_id,
            {{ line_columns | join(', ') }}
        from {{ ref('int_credit__sale_line') }}
        where {{ condition }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

ancestor as (
    select * from {{ ref('int_incentive__ancestor') }}
),

bridge_assignment as (
    select * from {{ ref('bridge_assignment') }}
    where role = 'overlay'
),

plan_window as (
    select * from {{ ref('int_incentive__window') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

rule as (
    select * from {{ source('config', 'plan_rule') }}
    where gate_no is null
),

plan_filter as (
    select * from {{ source('config', 'plan_filter') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

dealer_start as (
    select * from {{ ref('int_sales__dealer_start') }}
),

-- What dealers sell on counts only for plans that ask for it, to the dealer and who is named.
sold_on as (
    {% for condition in read_lines %}
        select
            coalesce(seller_id, '{{ unassigned() }}') as member_id,
            case when seller_id is null then '{{ unassigned() }}' else 'seller' end as credit_role,
            cast(100 as decimal(9, 4)) as credit_pct,
            cast(0 as decimal(9, 4)) as pct_before,
            sale_date as credit_date,
            cast(null as string) as original_transaction_id,
            {{ line_columns | join(', ') }}
        from {{ ref('fct_sale_line') }}
        where
            channel = 'sell_out'
            and exists (
                select 1 from plan_filter
                where instr(plan_filter.channel, '|sell_out|') > 0
            )
            and {{ condition }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

credit as {{ read_anew() }} (
    select * from credited
    union all
    select * from sold_on
),

-- What documents come to, where a plan asks how large a deal is.
sized as (
    select max(1) as is_asked
    from (
        select 1 as asked
        from plan_filter
        where deal_amount_from is not null or deal_amount_to is not null
        union all
        select 1 as asked
        from rule
        where basis = 'deal_amount'
    ) as question
    having count(*) > 0
),

-- Whole documents, whatever months their lines are in.
document as (
    select
        sale_line.transaction_id,
        sum(sale_line.net_amount_plan) as document_amount
    from {{ ref('fct_sale_line') }} as sale_line
    cross join sized
    where sale_line.transaction_type = 'invoice'
    group by sale_line.transaction_id
),

started as (
    select
        dealer_start.dealer_id,
        fiscal_month.month_start
    from dealer_start
    inner join fiscal_month
        on
            dealer_start.fiscal_month_start <= fiscal_month.month_start
            and fiscal_month.month_start < {{ dbt.dateadd('year', 1, 'dealer_start.fiscal_month_start') }}
    group by dealer_start.dealer_id, fiscal_month.month_start
),

role as (
    select
        plan_window.payee_type,
        plan_window.payee_id,
        max(case when component.is_credit_rollup then 1 else 0 end) as has_rollup,
        max(case when component.is_credit_overlay then 1 else 0 end) as has_overlay,
        max(case when component.is_credit_owner or component.is_credit_co_owner or component.is_credit_seller then 1 else 0 end)
            as has_direct
    from plan_window
    inner join component on {{ same_key('plan_window', 'component', plan_key()) }}
    group by plan_window.payee_type, plan_window.payee_id
),

-- A manager is credited once with what the members below share, whatever the paths.
managed as (
    select
        credit.transaction_id,
        credit.line_no,
        ancestor.manager_id,
        credit.member_id,
        max(credit.credit_pct) as credit_pct
    from credit
    inner join ancestor
        on
            credit.member_id = ancestor.member_id
            and credit.credit_date >= ancestor.valid_from
            and credit.credit_date < ancestor.valid_to
    inner join role
        on
            ancestor.manager_id = role.payee_id
            and role.payee_type = 'member'
            and role.has_rollup = 1
    group by credit.transaction_id, credit.line_no, ancestor.manager_id, credit.member_id
),

rolled_up as (
    select
        transaction_id,
        line_no,
        manager_id,
        sum(credit_pct) as credit_pct
    from managed
    group by transaction_id, line_no, manager_id
),

role_line as {{ read_anew() }} (
    select
        'member' as payee_type,
        credit.member_id as payee_id,
        credit.credit_role as counted_role,
        credit.credit_pct as counted_pct,
        credit.pct_before as counted_before,
        credit.*
    from credit
    inner join role
        on
            credit.member_id = role.payee_id
            and role.payee_type = 'member'
            and role.has_direct = 1

    union all

    select
        'member' as payee_type,
        rolled_up.manager_id as payee_id,
        'rollup' as counted_role,
        cast(rolled_up.credit_pct as decimal(9, 4)) as counted_pct,
        cast(0 as decimal(9, 4)) as counted_before,
        credit.*
    from rolled_up
    inner join credit
        on
            rolled_up.transaction_id = credit.transaction_id
            and rolled_up.line_no = credit.line_no
            and credit.pct_before = 0

    union all

    select
        'member' as payee_type,
        bridge_assignment.member_id as payee_id,
        'overlay' as counted_role,
        cast(coalesce(bridge_assignment.split_pct, 100) as decimal(9, 4)) as counted_pct,
        cast(0 as decimal(9, 4)) as counted_before,
        credit.*
    from credit
    inner join bridge_assignment
        on
            credit.dealer_id = bridge_assignment.dealer_id
            and credit.credit_date >= bridge_assignment.valid_from
            and credit.credit_date < bridge_assignment.valid_to
    inner join role
        on
            bridge_assignment.member_id = role.payee_id
            and role.payee_type = 'member'
            and role.has_overlay = 1
    where credit.pct_before = 0

    union all

    select
        'dealer' as payee_type,
        credit.dealer_id as payee_id,
        'dealer' as counted_role,
        cast(100 as decimal(9, 4)) as counted_pct,
        cast(0 as decimal(9, 4)) as counted_before,
        credit.*
    from credit
    inner join role
        on
            credit.dealer_id = role.payee_id
            and role.payee_type = 'dealer'
    where credit.pct_before = 0
),

-- What a component asks of a line, by rule: its filter and the rule's must hold, any alternative of each.
asked as (
    select
        {{ columns_of('rule', plan_key(['component_id', 'rule_no', 'specificity'])) }},
        row_number() over (
            partition by {{ columns_of('rule', plan_key(['component_id', 'rule_no'])) }}
            order by component_filter.alternative_no nulls last, rule_filter.alternative_no nulls last
        ) as alternative_no,
        {% for part in ['component', 'rule'] %}
            {% for column in filter_columns() %}
                {{ part }}_filter.{{ column }} as {{ part }}_{{ column }},
            {% endfor %}
        {% endfor %}
        count(*) over (partition by {{ columns_of('rule', plan_key(['component_id'])) }}) = 1 as is_single
    from rule
    inner join plan_filter as component_filter
        on {{ same_key('rule', 'component_filter', plan_key(['component_id'])) }} and component_filter.rule_no = 0
    inner join plan_filter as rule_filter
        on {{ same_key('rule', 'rule_filter', plan_key(['component_id', 'rule_no'])) }}
),

-- Whom which component pays, in which currency. Components that measure a KPI have no sale lines.
planned as (
    select
        {{ columns_of('plan_window', payee_key()) }},
        plan_window.valid_from,
        plan_window.valid_to,
        component.component_id,
        component.measure,
        component.measure_floor,
        component.accumulate,
        component.measure = 'collected_amount' or component.collected_pct = 100 as is_collected,
        {% for role in roles %}
            component.is_credit_{{ role }},
        {% endfor %}
        component.precedence,
        component.rate_type,
        component.target_kind,
        plan.period_type,
        case
            when not component.is_document_currency
                then coalesce(plan.currency_code, plan_window.currency_code, company.reporting_currency_code)
        end as pay_currency_code,
        company.reporting_currency_code
    from plan_window
    cross join company
    inner join plan on {{ same_key('plan_window', 'plan', plan_key()) }}
    inner join component on {{ same_key('plan_window', 'component', plan_key()) }}
    where component.measure <> 'kpi'
),

-- Last year's lines count a year later, for a target that grows from them.
dated_line as {{ read_anew() }} (
    select
        role_line.*,
        role_line.sale_date as counted_date,
        false as is_last_year
    from role_line
    where
        role_line.original_transaction_id is null
        and (
            {{ of_this_build('int_incentive__pay_state', 'role_line.fiscal_month_start') }}
            {% if is_incremental() %}
                or role_line.transaction_id in (select spread.transaction_id from spread)
            {% endif %}
        )

    union all

    select
        role_line.*,
        cast({{ dbt.dateadd('year', 1, 'role_line.sale_date') }} as date) as counted_date,
        true as is_last_year
    from role_line
    where exists (
        select 1 from component
        where component.target_kind = 'last_year'
    )
),

joined as {{ read_anew() }} (
    select
        {{ columns_of('planned', payee_key([
            'component_id', 'period_type', 'measure', 'measure_floor', 'accumulate', 'is_collected', 'precedence',
        ])) }},
        dated_line.is_last_year,
        dated_line.counted_date,
        dated_line.counted_role as credit_role,
        dated_line.counted_pct as credit_pct,
        dated_line.counted_before as pct_before,
        dated_line.transaction_id,
        dated_line.line_no,
        dated_line.channel,
        dated_line.dealer_id,
        dated_line.dealer_region,
        dated_line.dealer_tier,
        dated_line.product_id,
        dated_line.product_category,
        dated_line.product_subcategory,
        dated_line.product_brand,
        dated_line.transaction_type,
        dated_line.quantity,
        dated_line.currency_code as document_currency_code,
        dated_line.net_amount,
        dated_line.discount_amount,
        dated_line.cost_amount,
        dated_line.net_amount - dated_line.cost_amount as margin_amount,
        dated_line.net_amount + dated_line.discount_amount as list_amount,
        document.document_amount as document_amount_plan,
        started.dealer_id is not null as is_new_dealer,
        coalesce(planned.pay_currency_code, dated_line.currency_code) as currency_code,
        case
            when coalesce(planned.pay_currency_code, dated_line.currency_code) = dated_line.currency_code
                then cast(1 as decimal(18, 10))
            when planned.rate_type = 'market' then dated_line.fx_rate
            else dated_line.plan_fx_rate
        end as line_rate,
        case
            when
                planned.pay_currency_code <> planned.reporting_currency_code
                and planned.pay_currency_code <> dated_line.currency_code
                then coalesce(pay_rate.rate, 0)
        end as line_divisor,
        case when planned.pay_currency_code <> planned.reporting_currency_code then coalesce(pay_rate.rate, 0) end as document_divisor
    from dated_line
    inner join planned
        on
            dated_line.payee_type = planned.payee_type
            and dated_line.payee_id = planned.payee_id
            and dated_line.counted_date >= planned.valid_from
            and dated_line.counted_date < planned.valid_to
            and case dated_line.counted_role
                {% for role in roles %}
                    when '{{ role }}' then planned.is_credit_{{ role }}
                {% endfor %}
                else false
            end
            and (not dated_line.is_last_year or planned.target_kind = 'last_year')
    left join document on dated_line.transaction_id = document.transaction_id
    left join started
        on
            dated_line.dealer_id = started.dealer_id
            and dated_line.fiscal_month_start = started.month_start
    left join day_rate as pay_rate
        on
            case
                when planned.pay_currency_code <> planned.reporting_currency_code then planned.pay_currency_code
            end = pay_rate.currency_code
            and dated_line.sale_date = pay_rate.date_day
            and planned.rate_type = pay_rate.rate_type
),

-- In the payee's currency, whole lines.
sized_line as {{ read_anew() }} (
    select
        *,
        {{ to_pay_currency('document_amount_plan', '1', 'document_divisor') }} as document_amount,
        case measure
            when 'units' then quantity
            when 'gross_revenue' then net_amount + coalesce(discount_amount, 0)
            when 'gross_margin'
                then
                    case
                        when measure_floor is null then margin_amount
                        when net_amount < 0 then least(margin_amount, -measure_floor)
                        else greatest(margin_amount, measure_floor)
                    end
            else net_amount
        end as measured_amount
    from joined
),

asked_of as {{ read_anew() }} (
    select
        {%- for column in kept %}
            sized_line.{{ column }},
        {%- endfor %}
        sized_line.precedence,
        asked.rule_no,
        asked.specificity,
        asked.alternative_no,
        asked.is_single
    from sized_line
    inner join asked on {{ same_key('sized_line', 'asked', plan_key(['component_id'])) }}
    where
        (
            sized_line.channel is distinct from 'sell_out'
            or asked.component_channel is not null
            or asked.rule_channel is not null
        )
        and {{ passes_filter('sized_line', 'asked', 'component_') }}
        and {{ passes_filter('sized_line', 'asked', 'rule_') }}
),

-- A line that several rules want: the most specific has it, or the first, or each.
ranked as (
    select
        *,
        row_number() over (
            partition by {{ line_key | join(', ') }}
            order by
                case when precedence = 'most_specific' then -specificity else 0 end nulls last,
                rule_no nulls last,
                alternative_no nulls last
        ) as line_rank,
        row_number() over (
            partition by {{ line_key | join(', ') }}, rule_no
            order by alternative_no nulls last
        ) as rule_rank
    from asked_of
    where not is_single
),

chosen as {{ read_anew() }} (
    select
        {{ kept | join(', ') }},
        rule_no,
        true as is_first_rule
    from asked_of
    where is_single

    union all

    select
        {{ kept | join(', ') }},
        rule_no,
        line_rank = 1 as is_first_rule
    from ranked
    where
        rule_rank = 1
        and (line_rank = 1 or precedence = 'add')
),

converted as {{ read_anew() }} (
    select
        {{ kept | join(', ') }},
        rule_no,
        is_first_rule,
        {{ to_pay_currency('net_amount', 'line_rate', 'line_divisor') }} as net_pay,
        {{ to_pay_currency('cost_amount', 'line_rate', 'line_divisor') }} as cost_pay,
        {{ to_pay_currency('list_amount', 'line_rate', 'line_divisor') }} as list_pay,
        case
            when measure = 'units' then cast(measured_amount as decimal(28, 8))
            else {{ to_pay_currency('measured_amount', 'line_rate', 'line_divisor') }}
        end as measure_pay
    from chosen
),

-- A document is one deal, whichever of its lines comes first: later ones move nothing that is past.
counted as (
    select
        *,
        case
            when measure <> 'deals' then measure_pay
            when transaction_type <> 'invoice' then cast(0 as decimal(28, 8))
            when row_number() over (
                partition by {{ payee_key(['component_id', 'rule_no', 'is_last_year', 'transaction_id']) | join(', ') }}
                order by counted_date nulls last, line_no nulls last, credit_role nulls last
            ) = 1 then cast(1 as decimal(28, 8))
            else cast(0 as decimal(28, 8))
        end as whole_amount
    from converted
    where measure = 'deals'

    union all

    select
        *,
        measure_pay as whole_amount
    from converted
    where measure <> 'deals'
),

placed as (
    select
        counted.*,
        fiscal_month.month_start as fiscal_month_start,
        fiscal_month.fiscal_year,
        case counted.period_type
            when 'month' then fiscal_month.month_id
            when 'quarter' then fiscal_month.quarter_id
            else fiscal_month.year_id
        end as period_id
    from counted
    inner join calendar on counted.counted_date = calendar.date_day
    inner join fiscal_month on calendar.fiscal_month_start = fiscal_month.month_start
    where {{ of_this_build('int_incentive__pay_state', 'fiscal_month.month_start') }}
),

-- Of net revenue the measure is the net amount: products of 128 bits are not reckoned twice.
shared as (
    select
        *,
        {{ credit_share('net_pay', 'pct_before', 'credit_pct') }} as net_share
    from placed
),

-- Running totals are taken inside a scope: the document, the period or the fiscal year.
final as (
    select
        {{ payee_key(['component_id', 'rule_no', 'transaction_id', 'line_no', 'credit_role']) | join(', ') }},
        case when is_last_year then 'last_year' else 'sale' end as event_kind,
        counted_date as event_date,
        fiscal_month_start,
        period_id,
        case accumulate
            when 'transaction' then transaction_id
            when 'period' then period_id
            else cast(fiscal_year as string)
        end as scope_id,
        case
            when is_last_year then 'no'
            when is_collected then 'when_paid'
            else 'running'
        end as counted,
        currency_code,
        credit_pct,
        is_first_rule,
        document_amount,
        document_currency_code,
        net_amount as line_net_amount,
        quantity as line_quantity,
        case
            when measure = 'net_revenue' then net_share
            else {{ credit_share('whole_amount', 'pct_before', 'credit_pct') }}
        end as measure_amount,
        -- The unit of deals is the deal.
        {{ credit_share("case measure when 'deals' then whole_amount else quantity end", 'pct_before', 'credit_pct') }} as units,
        net_share as net_amount,
        {{ credit_share('cost_pay', 'pct_before', 'credit_pct') }} as cost_amount,
        {{ credit_share('list_pay', 'pct_before', 'credit_pct') }} as list_amount
    from shared
)

select * from final
