-- Grain: one row per assignment of a payee to a plan.
with

version as (
    select
        *,
        {{ winner_rank(['plan_assignment_id'], dated=true) }} as winner_rank
    from {{ ref('stg_plan_assignments') }}
),

final as (
    select
        plan_assignment_id,
        payee_type,
        payee_id,
        plan_id,
        valid_from,
        {{ stated_end() }} as valid_to,
        target_pay_amount,
        currency_code
    from version
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
)

select * from final
