-- Grain: one row per scenario, payee, plan version, component, period and gate.
{%- set key = payee_key(['component_id', 'period_id']) %}
with

target as (
    select * from {{ ref('int_incentive__target') }}
),

gate as (
    select * from {{ source('config', 'plan_gate') }}
),

gate_part as (
    select * from {{ source('config', 'plan_gate_part') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
),

subject_kpi as (
    select * from {{ ref('int_kpi__subject_period') }}
),

scope as (
    select * from {{ ref('int_incentive__scope') }}
),

attained as (
    select
        {{ key | join(', ') }},
        max(attainment) as attainment
    from scope
    group by {{ key | join(', ') }}
),

-- Attainments of components, weighed. One that is not measured leaves the gate undecided.
weighed as (
    select
        {{ columns_of('target', key) }},
        gate_part.gate_no,
        sum(gate_part.weight) as weight,
        sum({{ multiply('attained.attainment', 'gate_part.weight') }}) as weighted_attainment,
        count(*) - count(attained.attainment) as unmeasured_count
    from target
    inner join gate_part on {{ same_key('target', 'gate_part', plan_key(['component_id'])) }}
    left join attained
        on
            {{ same_key('target', 'attained', payee_key(['period_id'])) }}
            and gate_part.part_component_id = attained.component_id
    group by {{ columns_of('target', key) }}, gate_part.gate_no
),

valued as (
    select
        {{ columns_of('target', key) }},
        gate.gate_no,
        gate.kpi_code,
        gate.below,
        gate.at_most,
        gate.factor,
        gate.is_hold,
        gate.then_rate,
        case
            when not gate.weighted then cast(subject_kpi.value as decimal(28, 8))
            when weighed.unmeasured_count = 0
                then cast({{ exact_divide('weighed.weighted_attainment', 'nullif(weighed.weight, 0)', 8) }} as decimal(28, 8))
        end as gate_value
    from target
    inner join gate on {{ same_key('target', 'gate', plan_key(['component_id'])) }}
    inner join payee_period on {{ same_key('target', 'payee_period', payee_key(['period_id'])) }}
    left join weighed
        on
            {{ same_key('target', 'weighed', key) }}
            and gate.gate_no = weighed.gate_no
    left join subject_kpi
        on
            gate.kpi_code = subject_kpi.kpi_code
            and target.period_id = subject_kpi.period_id
            and {{ is_subject_of('gate.kpi_subject', 'payee_period', 'subject_kpi') }}
),

-- What is not measured is not missed: the gate stays open, and the row says so.
final as (
    select
        {{ key | join(', ') }},
        gate_no,
        kpi_code,
        below,
        at_most,
        gate_value,
        coalesce(gate_value < below or gate_value <= at_most, false) as is_closed,
        cast(factor as decimal(18, 8)) as factor,
        is_hold,
        then_rate,
        case when gate_value is null then 'what the gate asks for is not measured' end as reason
    from valued
)

select * from final
