-- Grain: one row per scenario, payee, plan version, period and line that changes what the components earned, before draws.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id']) %}
{%- set columns = key + ['line_kind', 'line_detail', 'base_amount', 'factor', 'amount', 'reason'] %}
with

gated as (
    select * from {{ ref('int_incentive__gated') }}
),

limited as (
    select * from {{ ref('int_incentive__limited') }}
),

carried as (
    select * from {{ ref('int_incentive__carried') }}
),

due as (
    select * from {{ ref('int_incentive__due') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
),

adjustment as (
    select * from {{ ref('fct_adjustment') }}
    where is_approved
),

period as (
    select * from {{ ref('dim_period') }}
),

gate_line as (
    select
        {{ key | join(', ') }},
        'gate' as line_kind,
        cast(rule_no as string) || case when earned_period_id <> period_id then ' ' || earned_period_id else '' end as line_detail,
        line_amount as base_amount,
        gate_factor as factor,
        gated_amount - line_amount as amount,
        'a gate is closed' as reason
    from gated
    where gated_amount <> line_amount
),

modifier_line as (
    select
        {{ key | join(', ') }},
        'modifier' as line_kind,
        cast(rule_no as string) || case when earned_period_id <> period_id then ' ' || earned_period_id else '' end as line_detail,
        gated_amount as base_amount,
        modifier_factor as factor,
        modified_amount - gated_amount as amount,
        'the linked measure' as reason
    from gated
    where modified_amount <> gated_amount
),

rule_limit_line as (
    select
        {{ key | join(', ') }},
        'rule_limit' as line_kind,
        cast(rule_no as string) || case when earned_period_id <> period_id then ' ' || earned_period_id else '' end as line_detail,
        modified_amount as base_amount,
        cast(null as decimal(18, 8)) as factor,
        amount - modified_amount as amount,
        case
            when earned_period_id <> period_id then 'the limits of the earlier period'
            when amount > modified_amount then 'the floor of the rule'
            else 'the cap of the rule'
        end as reason
    from gated
    where amount <> modified_amount
),

limit_line as (
    select
        {{ key | join(', ') }},
        'limit' as line_kind,
        case when earned_period_id <> period_id then earned_period_id else '' end as line_detail,
        ruled_amount as base_amount,
        cast(null as decimal(18, 8)) as factor,
        capped_amount - ruled_amount as amount,
        case
            when earned_period_id <> period_id then 'the limits of the earlier period'
            when capped_amount > ruled_amount then 'the floor of the component'
            else 'the cap of the component'
        end as reason
    from limited
    where capped_amount <> ruled_amount
),

excess_line as (
    select
        {{ key | join(', ') }},
        'excess' as line_kind,
        case when earned_period_id <> period_id then earned_period_id else '' end as line_detail,
        excess_opening_amount as base_amount,
        cast(null as decimal(18, 8)) as factor,
        allowed_amount - capped_amount as amount,
        'what the cap had cut off before' as reason
    from limited
    where allowed_amount <> capped_amount
),

leaver_line as (
    select
        {{ key | join(', ') }},
        'leaver' as line_kind,
        case when earned_period_id <> period_id then earned_period_id else '' end as line_detail,
        allowed_amount as base_amount,
        cast(null as decimal(18, 8)) as factor,
        amount - allowed_amount as amount,
        case leaver_rule
            when 'forfeit' then 'left before the end of the period'
            else 'left before the end of the period; paid for the days until then'
        end as reason
    from limited
    where amount <> allowed_amount
),

reversal_line as (
    select
        {{ key | join(', ') }},
        'reversal' as line_kind,
        '' as line_detail,
        reversed_amount as base_amount,
        cast(null as decimal(18, 8)) as factor,
        case when held_count = 0 then reversed_amount end as amount,
        case when held_count > 0 then 'the sale that came back still waits for a person' end as reason
    from carried
    where
        reversed_amount <> 0
        or held_count > 0
),

negative_line as (
    select
        {{ key | join(', ') }},
        'negative' as line_kind,
        '' as line_detail,
        negative_opening_amount as base_amount,
        cast(null as decimal(18, 8)) as factor,
        amount - limited_amount - reversed_amount as amount,
        case negative when 'carry' then 'what is below zero is carried' else 'what is below zero is left' end as reason
    from carried
    where amount <> limited_amount + reversed_amount
),

-- What is earned here and due later, and what earlier periods earned and is due now.
deferred_line as (
    select
        {{ key | join(', ') }},
        part_kind as line_kind,
        '' as line_detail,
        sum(amount) as base_amount,
        cast(null as decimal(18, 8)) as factor,
        -sum(amount) as amount,
        case part_kind
            when 'hold' then 'held back'
            when 'uncollected' then 'due when the customer has paid'
            else 'due in later instalments'
        end as reason
    from due
    where
        due_period_id is distinct from period_id
        and period_id <> 'before'
        and amount <> 0
    group by {{ key | join(', ') }}, part_kind
),

released_line as (
    select
        {{ payee_key(['component_id', 'currency_code']) | join(', ') }},
        due_period_id as period_id,
        'release' as line_kind,
        part_kind || ' ' || period_id as line_detail,
        sum(amount) as base_amount,
        cast(null as decimal(18, 8)) as factor,
        sum(amount) as amount,
        cast(null as string) as reason
    from due
    where
        due_period_id <> period_id
        and amount <> 0
    group by {{ payee_key(['component_id', 'currency_code']) | join(', ') }}, due_period_id, part_kind, period_id
),

-- An adjustment stands on the statement of the plan that it names, else of the first plan of the period; without one it is
-- a statement of its own.
adjusted as (
    select
        adjustment.adjustment_id,
        adjustment.payee_type,
        adjustment.payee_id,
        adjustment.plan_id,
        adjustment.effective_date,
        adjustment.currency_code,
        adjustment.amount,
        adjustment.reason,
        payee_period.plan_id as statement_plan_id,
        payee_period.plan_version,
        payee_period.period_id,
        row_number() over (
            partition by adjustment.adjustment_id
            order by payee_period.plan_id asc nulls last, payee_period.plan_version desc nulls last
        ) as statement_rank
    from adjustment
    left join payee_period
        on
            adjustment.payee_type = payee_period.payee_type
            and adjustment.payee_id = payee_period.payee_id
            and coalesce(adjustment.plan_id, payee_period.plan_id) = payee_period.plan_id
            and adjustment.effective_date >= payee_period.period_start
            and adjustment.effective_date < payee_period.period_end
            and payee_period.scenario_id = 'paid'
),

adjustment_line as (
    select
        'paid' as scenario_id,
        adjusted.payee_type,
        adjusted.payee_id,
        coalesce(adjusted.statement_plan_id, adjusted.plan_id, 'adjustment') as plan_id,
        coalesce(adjusted.plan_version, 0) as plan_version,
        'adjustment' as component_id,
        adjusted.currency_code,
        coalesce(adjusted.period_id, period.period_id) as period_id,
        'adjustment' as line_kind,
        adjusted.adjustment_id as line_detail,
        adjusted.amount as base_amount,
        cast(null as decimal(18, 8)) as factor,
        case
            when not {{ is_too_fine('adjusted.currency_code') }}
                then {{ round_pay('adjusted.amount', 'adjusted.currency_code') }}
        end as amount,
        case
            when {{ is_too_fine('adjusted.currency_code') }} then {{ too_fine_reason() }}
            else adjusted.reason
        end as reason
    from adjusted
    inner join period
        on
            period.period_type = 'quarter'
            and adjusted.effective_date >= period.period_start
            and adjusted.effective_date < period.period_end
            and period.period_start < {{ built_until() }}
    where adjusted.statement_rank = 1
),

{% set lines = [
    'gate_line', 'modifier_line', 'rule_limit_line', 'limit_line', 'excess_line', 'leaver_line', 'reversal_line',
    'negative_line', 'deferred_line', 'released_line', 'adjustment_line',
] %}
listed as (
    {% for relation in lines %}
        select {{ columns | join(', ') }}
        from {{ relation }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    select
        {{ key | join(', ') }},
        line_kind,
        line_detail,
        cast(base_amount as decimal(28, 10)) as base_amount,
        cast(factor as decimal(18, 8)) as factor,
        cast(amount as decimal(18, 2)) as amount,
        reason
    from listed
)

select * from final
