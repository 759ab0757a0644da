-- Grain: one row per scenario, payee, plan version, component, currency, period, period earned for, rule and band.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id', 'earned_period_id', 'rule_no']) %}
{%- set scope_key = payee_key(['component_id', 'currency_code', 'scope_id', 'period_id', 'rule_no']) %}
with

band as (
    select * from {{ ref('int_incentive__band') }}
),

scope as (
    select * from {{ ref('int_incentive__scope') }}
),

target as (
    select * from {{ ref('int_incentive__target') }}
),

gate as (
    select * from {{ ref('int_incentive__gate') }}
    where
        is_closed
        and is_hold
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

segment as (
    select * from {{ source('config', 'plan_segment') }}
),

rule as (
    select * from {{ source('config', 'plan_rule') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

-- A late payment, or a return rated anew, is paid now for the period to which it belongs.
placed as (
    select
        {{ columns_of('scope', scope_key) }},
        case component.accumulate when 'period' then scope.scope_id else scope.period_id end as earned_period_id,
        scope.event_count,
        scope.measure_amount,
        scope.target_value,
        scope.target_ids,
        scope.attainment
    from scope
    inner join component on {{ same_key('scope', 'component', plan_key(['component_id'])) }}
),

summed as (
    select
        {{ columns_of('placed', key) }},
        band.rate_rule_no,
        band.segment_no,
        cast(sum(band.base_amount) as decimal(28, 10)) as base_amount,
        case when count(*) = count(band.amount) then cast(sum(band.amount) as decimal(28, 10)) end as earned_amount,
        cast(coalesce(sum(band.amount_after - band.amount), 0) as decimal(28, 10)) as earned_before_amount,
        max(band.reason) as reason
    from band
    inner join placed on {{ same_key('band', 'placed', scope_key) }}
    group by {{ columns_of('placed', key) }}, band.rate_rule_no, band.segment_no
),

-- Figures of the period behind its lines; of documents, which are scopes of their own, there is no attainment.
scoped as (
    select
        {{ key | join(', ') }},
        sum(event_count) as event_count,
        cast(sum(measure_amount) as decimal(28, 8)) as measure_amount,
        max(target_value) as target_value,
        max(target_ids) as target_ids,
        max(attainment) as attainment
    from placed
    group by {{ key | join(', ') }}
),

-- A component of single documents has no scope before there is one.
waiting as (
    select
        {{ columns_of('target', payee_key(['component_id', 'currency_code', 'period_id'])) }},
        target.period_id as earned_period_id,
        min(rule.rule_no) as rule_no,
        max(target.target_value) as target_value,
        max(target.target_ids) as target_ids
    from target
    inner join rule on {{ same_key('target', 'rule', plan_key(['component_id'])) }}
    left join scoped on {{ same_key('target', 'scoped', payee_key(['component_id', 'period_id'])) }}
    where scoped.period_id is null
    group by {{ columns_of('target', payee_key(['component_id', 'currency_code', 'period_id'])) }}
),

listed as (
    select
        {{ columns_of('summed', key) }},
        summed.rate_rule_no,
        summed.segment_no,
        scoped.event_count,
        scoped.measure_amount,
        scoped.target_value,
        scoped.target_ids,
        scoped.attainment,
        summed.base_amount,
        summed.earned_amount,
        summed.earned_before_amount,
        summed.reason
    from summed
    inner join scoped on {{ same_key('summed', 'scoped', key) }}

    union all

    select
        {{ key | join(', ') }},
        rule_no as rate_rule_no,
        0 as segment_no,
        0 as event_count,
        cast(0 as decimal(28, 8)) as measure_amount,
        target_value,
        target_ids,
        cast(null as decimal(28, 8)) as attainment,
        cast(0 as decimal(28, 10)) as base_amount,
        cast(0 as decimal(28, 10)) as earned_amount,
        cast(0 as decimal(28, 10)) as earned_before_amount,
        'nothing is credited in the period' as reason
    from waiting
),

held_by_gate as (
    select {{ payee_key(['component_id', 'period_id']) | join(', ') }}
    from gate
    group by {{ payee_key(['component_id', 'period_id']) | join(', ') }}
),

-- Where the plan cannot be applied in the period, the currency has more decimals than an amount, or a cap is a part of a target
-- pay that is not known, a person decides.
stopped as (
    select
        listed.*,
        case
            when payee_period.stopped_reason is not null then payee_period.stopped_reason
            when {{ is_too_fine('listed.currency_code') }} then {{ too_fine_reason() }}
            when
                (payee_period.target_pay_amount is null and plan.cap_pct is not null)
                or (earned_in.target_pay_amount is null and coalesce(rule.cap_pct, component.cap_pct) is not null)
                then 'the plan assignment states no target pay'
        end as stopped_reason
    from listed
    inner join rule on {{ same_key('listed', 'rule', plan_key(['component_id', 'rule_no'])) }}
    inner join component on {{ same_key('listed', 'component', plan_key(['component_id'])) }}
    inner join plan on {{ same_key('listed', 'plan', plan_key()) }}
    left join payee_period on {{ same_key('listed', 'payee_period', payee_key(['period_id'])) }}
    left join payee_period as earned_in
        on
            {{ same_key('listed', 'earned_in', payee_key()) }}
            and listed.earned_period_id = earned_in.period_id
),

gated as (
    select
        stopped.*,
        held_by_gate.period_id is not null as is_held_by_gate,
        case
            when held_by_gate.period_id is null and stopped.stopped_reason is null then stopped.earned_amount
        end as settled_amount
    from stopped
    left join held_by_gate
        on
            {{ same_key('stopped', 'held_by_gate', payee_key(['component_id'])) }}
            and stopped.earned_period_id = held_by_gate.period_id
),

-- Of what grows over several periods each is paid the difference of the rounded running total, so that they add up to it.
rounded as (
    select
        *,
        cast(
            {{ round_pay('earned_before_amount + settled_amount', 'currency_code') }}
            - {{ round_pay('earned_before_amount', 'currency_code') }} as decimal(18, 2)
        ) as amount
    from gated
),

final as (
    select
        {{ columns_of('rounded', key) }},
        cast(rounded.rate_rule_no as integer) as rate_rule_no,
        cast(rounded.segment_no as integer) as segment_no,
        rule.basis,
        rule.band_rule,
        rule.form,
        rule.pays,
        segment.band_no,
        segment.lower_bound,
        segment.upper_bound,
        segment.band_value,
        cast(rounded.event_count as bigint) as event_count,
        rounded.measure_amount,
        rounded.target_value,
        rounded.target_ids,
        rounded.attainment,
        rounded.base_amount,
        rounded.settled_amount as earned_amount,
        rounded.earned_before_amount,
        rounded.amount,
        case
            when rounded.is_held_by_gate then 'a gate is closed; the plan holds it for a person'
            when rounded.stopped_reason is not null then rounded.stopped_reason
            when rounded.settled_amount is null and rounded.reason is not null then rounded.reason
            when rounded.settled_amount is null then 'outside the bands; the plan holds it for a person'
            when rounded.amount <> 0 then cast(null as string)
            when rounded.reason is not null then rounded.reason
            when rounded.measure_amount = 0 and rule.pays <> 'fixed' then 'the credited sales of the period come to zero'
            when rule.form = 'slice' and rounded.base_amount = 0 then 'the band is not reached'
            when rule.form <> 'slice' and segment.outside = 'zero' and segment.lower_bound is null then 'below the lowest band'
            when segment.outside = 'zero' then 'outside the bands; the plan pays nothing there'
            when segment.band_value = 0 then 'the rate of the band is zero'
            when rounded.settled_amount = 0 then 'nothing more than was paid before'
            when rounded.earned_before_amount <> 0 then 'less than a cent more than was paid before'
            else 'less than half a cent'
        end as reason
    from rounded
    inner join rule
        on {{ same_key('rounded', 'rule', plan_key(['component_id'])) }} and rounded.rate_rule_no = rule.rule_no
    left join segment
        on
            {{ same_key('rounded', 'segment', plan_key(['component_id', 'segment_no'])) }}
            and rounded.rate_rule_no = segment.rule_no
)

select * from final
