-- The slices of a commission add up to the revenue credited: nothing falls between bands, nothing is paid twice.
select
    scenario_id,
    payee_id,
    plan_id,
    component_id,
    period_id,
    sum(base_amount) as slices_amount,
    max(credited_amount) as revenue_amount
from {{ ref('mart_incentive__statement_line') }}
where kind = 'commission'
group by scenario_id, payee_id, plan_id, component_id, period_id
having sum(base_amount) is distinct from max(credited_amount)
