-- Grain: one row per scenario, payee, plan version, component, rule, currency, scope and period paid: how its rate is found.
{%- set scope_key = payee_key(['component_id', 'rule_no', 'currency_code', 'scope_id']) %}
with

scope as (
    select * from {{ ref('int_incentive__scope') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

rule as (
    select * from {{ source('config', 'plan_rule') }}
),

gate as (
    select * from {{ ref('int_incentive__gate') }}
    where
        is_closed
        and then_rate
),

-- A gate that is closed may put another rate table in the place of a rule's own: that of the period for which
-- it is earned, of a document that in which it begins.
lowered as (
    select
        {{ columns_of('gate', payee_key(['component_id', 'period_id'])) }},
        min(rule.rule_no) as rule_no
    from gate
    inner join rule on {{ same_key('gate', 'rule', plan_key(['component_id', 'gate_no'])) }}
    group by {{ columns_of('gate', payee_key(['component_id', 'period_id'])) }}
),

placed as (
    select
        scope.*,
        case component.accumulate
            when 'period' then scope.scope_id
            when 'transaction'
                then
                    first_value(scope.period_id) over (
                        partition by {{ columns_of('scope', scope_key) }} order by scope.period_start nulls last
                    )
            else scope.period_id
        end as earned_period_id
    from scope
    inner join component on {{ same_key('scope', 'component', plan_key(['component_id'])) }}
),

ruled as (
    select
        placed.*,
        coalesce(lowered.rule_no, placed.rule_no) as rate_rule_no
    from placed
    left join lowered
        on
            {{ same_key('placed', 'lowered', payee_key(['component_id'])) }}
            and placed.earned_period_id = lowered.period_id
),

measured as (
    select
        ruled.*,
        component.kind,
        component.is_spiff_proportional,
        rule.basis,
        rule.form,
        rule.pays,
        rule.base_rate,
        cast(case rule.basis
            when 'attainment'
                then
                    case
                        when rule.form = 'rate' or component.measure = 'kpi' then ruled.attained_amount
                        else ruled.measure_amount
                    end
            when 'amount' then ruled.measure_amount
            when 'units' then ruled.units
            when 'margin_pct' then ruled.net_amount - ruled.cost_amount
            when 'discount_pct' then ruled.list_amount - ruled.net_amount
            when 'deal_amount' then ruled.document_amount
            else 0
        end as decimal(28, 8)) as basis_amount,
        cast(case rule.basis
            when 'attainment' then ruled.attained_of_amount
            when 'margin_pct' then ruled.net_amount
            when 'discount_pct' then ruled.list_amount
            else 1
        end as decimal(28, 8)) as basis_size,
        coalesce(rule.basis = 'attainment' or rule.pays = 'multiplier', false) as is_target_needed,
        coalesce(component.kind = 'spiff' and component.is_spiff_proportional, false) as is_of_target_needed
    from ruled
    inner join component on {{ same_key('ruled', 'component', plan_key(['component_id'])) }}
    inner join rule
        on
            {{ same_key('ruled', 'rule', plan_key(['component_id'])) }}
            and ruled.rate_rule_no = rule.rule_no
),

final as (
    select
        {{ scope_key | join(', ') }},
        period_id,
        period_start,
        cast(rate_rule_no as integer) as rate_rule_no,
        event_count,
        measure_amount,
        basis,
        form,
        pays,
        basis_amount,
        basis_size,
        -- What the value of a band is multiplied by, and divided by, to be money.
        cast(case
            when kind = 'spiff'
                then
                    case when is_spiff_proportional then measure_amount else credit_pct end
                    * case when pays = 'payout_pct' then weighted_pay_amount else 1 end
            when form = 'rate' and pays in ('pct', 'base_rate_factor') then measure_amount
            when form = 'rate' and pays = 'per_unit' then units
            when form = 'rate' and pays = 'multiplier'
                then {{ exact_divide('weighted_pay_amount * attained_amount', 'nullif(attained_of_amount, 0)', 8) }}
            when pays in ('multiplier', 'payout_pct') then weighted_pay_amount
            when pays in ('pct', 'base_rate_factor') and basis = 'units' then measure_amount
            when pays = 'per_unit' and basis <> 'units' then units
            else 1
        end as decimal(28, 8)) as pay_factor,
        cast(case
            when kind = 'spiff' and is_spiff_proportional then target_value
            when kind = 'spiff' then 100
            when form = 'rate' then 1
            when pays in ('fixed', 'multiplier', 'payout_pct') then basis_size
            when pays in ('pct', 'base_rate_factor') and basis = 'units' then units
            when pays = 'per_unit' and basis <> 'units' then measure_amount
            else 1
        end as decimal(28, 8)) as pay_divisor,
        cast(case when pays = 'base_rate_factor' then base_rate else 1 end as decimal(18, 8)) as base_rate,
        case
            when unconverted_count > 0 then 'held'
            when unmeasured_count > 0 then 'not_paid'
            when is_target_needed and coalesce(target_status, 'not_paid') <> 'ok' then coalesce(target_status, 'not_paid')
            when pays in ('multiplier', 'payout_pct') and weighted_pay_amount is null then 'held'
            when is_of_target_needed and coalesce(target_value, 0) <= 0 then 'not_paid'
            when coalesce(basis_size, 0) <= 0 or basis_amount is null then 'not_paid'
            else 'ok'
        end as status,
        case
            when unconverted_count > 0
                then concat('sale lines without a plan rate: ', cast(unconverted_count as string))
            when unmeasured_count > 0 then unmeasured_reason
            when is_target_needed and coalesce(target_status, 'not_paid') <> 'ok'
                then coalesce(target_reason, 'the payee does not have the plan in the period of the target')
            when pays in ('multiplier', 'payout_pct') and weighted_pay_amount is null
                then 'the plan assignment states no target pay'
            when is_of_target_needed and coalesce(target_value, 0) <= 0 then 'there is no target in the period'
            when basis_amount is null then 'the cost, discount or size of a sale is not known'
            when coalesce(basis_size, 0) <= 0 then 'the credited sales of the period come to zero'
        end as reason
    from measured
)

select * from final
