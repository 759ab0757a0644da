-- Where bands pay by slices, the slices add up to what is credited: nothing falls between bands, nothing is paid twice.
select
    line.scenario_id,
    line.payee_id,
    line.plan_id,
    line.plan_version,
    line.component_id,
    line.period_id,
    line.rule_no,
    sum(line.base_amount) as slices_amount,
    max(line.credited_amount) as credited_amount
from {{ ref('mart_incentive__statement_line') }} as line
inner join {{ source('config', 'plan_component') }} as component
    on {{ same_key('line', 'component', plan_key(['component_id'])) }}
inner join {{ source('config', 'plan_rule') }} as rule
    on {{ same_key('line', 'rule', plan_key(['component_id', 'rule_no'])) }}
where
    line.line_kind = 'earned'
    and component.accumulate = 'period'
    and rule.form = 'slice'
    and rule.basis <> 'units'
group by
    line.scenario_id,
    line.payee_id,
    line.plan_id,
    line.plan_version,
    line.component_id,
    line.currency_code,
    line.period_id,
    line.rule_no
having sum(line.base_amount) is distinct from max(line.credited_amount)
