-- Grain: one row per scenario, payee, plan version, component, currency, period, period earned for and rule.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id', 'earned_period_id', 'rule_no']) %}
with

line as (
    select * from {{ ref('int_incentive__line') }}
),

gate as (
    select * from {{ ref('int_incentive__gate') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

rule as (
    select * from {{ source('config', 'plan_rule') }}
),

modifier as (
    select * from {{ source('config', 'plan_modifier') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
),

subject_kpi as (
    select * from {{ ref('int_kpi__subject_period') }}
),

earned as (
    select
        {{ key | join(', ') }},
        case when count(*) = count(earned_amount) then cast(sum(earned_amount) as decimal(28, 10)) end as earned_amount,
        cast(coalesce(sum(amount), 0) as decimal(18, 2)) as line_amount,
        cast(sum(earned_before_amount) as decimal(28, 10)) as exact_before,
        cast(sum({{ round_pay('earned_before_amount', 'currency_code') }}) as decimal(18, 2)) as line_before
    from line
    group by {{ key | join(', ') }}
),

-- A period that is over is judged as a whole by what holds in it, with what was earned for it before: it is paid the difference.
judged as (
    select
        {{ key | join(', ') }},
        1 as sign,
        earned_amount,
        case when earned_amount is null or earned_period_id = period_id then earned_amount else exact_before + earned_amount end
            as exact_amount,
        line_amount + case when earned_period_id = period_id then 0 else line_before end as line_amount
    from earned

    union all

    select
        {{ key | join(', ') }},
        -1 as sign,
        earned_amount,
        case when earned_amount is not null then exact_before end as exact_amount,
        line_before as line_amount
    from earned
    where earned_period_id <> period_id
),

-- Of several gates that are closed the lowest factor holds.
closed as (
    select
        {{ payee_key(['component_id', 'period_id']) | join(', ') }},
        min(factor) as factor
    from gate
    where is_closed
    group by {{ payee_key(['component_id', 'period_id']) | join(', ') }}
),

modified as (
    select
        {{ columns_of('payee_period', payee_key(['period_id'])) }},
        component.component_id,
        subject_kpi.value as modifier_value,
        cast({{ exact_divide(
            'cast(modifier.offset_value * modifier.run_value + modifier.rise_value'
            ~ ' * (cast(subject_kpi.value as decimal(18, 8)) - coalesce(modifier.lower_bound, 0)) as decimal(28, 10))',
            'modifier.run_value', 8
        ) }} as decimal(18, 8)) as modifier_factor
    from payee_period
    inner join component on {{ same_key('payee_period', 'component', plan_key()) }}
    inner join subject_kpi
        on
            component.modifier_kpi_code = subject_kpi.kpi_code
            and payee_period.period_id = subject_kpi.period_id
            and {{ is_subject_of('component.modifier_subject', 'payee_period', 'subject_kpi') }}
    inner join modifier
        on
            {{ same_key('component', 'modifier', plan_key(['component_id'])) }}
            and (modifier.lower_bound is null or subject_kpi.value >= modifier.lower_bound)
            and (modifier.upper_bound is null or subject_kpi.value < modifier.upper_bound)
),

factored as (
    select
        {{ columns_of('judged', key) }},
        judged.sign,
        judged.earned_amount,
        judged.exact_amount,
        judged.line_amount,
        cast(coalesce(closed.factor, 1) as decimal(18, 8)) as gate_factor,
        modified.modifier_value,
        coalesce(modified.modifier_factor, 1) as modifier_factor,
        rule.floor_amount,
        -- A cap in percent is one of the target pay of the period.
        {{ round_pay(
            'least(rule.cap_amount, cast(' ~ multiply('payee_period.target_pay_amount', 'rule.cap_pct') ~ ' as decimal(28, 8)))',
            'judged.currency_code'
        ) }} as cap_amount
    from judged
    inner join payee_period
        on
            {{ same_key('judged', 'payee_period', payee_key()) }}
            and judged.earned_period_id = payee_period.period_id
    inner join rule on {{ same_key('judged', 'rule', plan_key(['component_id', 'rule_no'])) }}
    left join closed
        on
            {{ same_key('judged', 'closed', payee_key(['component_id'])) }}
            and judged.earned_period_id = closed.period_id
    left join modified
        on
            {{ same_key('judged', 'modified', payee_key(['component_id'])) }}
            and judged.earned_period_id = modified.period_id
),

-- Rounded once at each line: the earned ones, and from there on what a stage leaves.
stepped as (
    select
        *,
        case
            when exact_amount is null or gate_factor = 1 then line_amount
            else {{ round_pay('exact_amount * gate_factor', 'currency_code') }}
        end as gated_amount,
        case
            when exact_amount is null or (gate_factor = 1 and modifier_factor = 1) then line_amount
            else {{ round_pay(exact_product(exact_product('exact_amount', 'gate_factor'), 'modifier_factor'), 'currency_code') }}
        end as modified_amount
    from factored
),

limited as (
    select
        *,
        least(greatest(modified_amount, floor_amount), cap_amount) as ruled_amount
    from stepped
),

final as (
    select
        {{ key | join(', ') }},
        max(earned_amount) as earned_amount,
        max(gate_factor) as gate_factor,
        max(modifier_value) as modifier_value,
        max(modifier_factor) as modifier_factor,
        cast(max(floor_amount) as decimal(18, 2)) as floor_amount,
        cast(max(cap_amount) as decimal(18, 2)) as cap_amount,
        cast(sum(sign * line_amount) as decimal(18, 2)) as line_amount,
        cast(sum(sign * gated_amount) as decimal(18, 2)) as gated_amount,
        cast(sum(sign * modified_amount) as decimal(18, 2)) as modified_amount,
        cast(sum(sign * ruled_amount) as decimal(18, 2)) as amount,
        cast(sum(case when sign = -1 then ruled_amount else 0 end) as decimal(18, 2)) as before_amount
    from limited
    group by {{ key | join(', ') }}
)

select * from final
