-- Grain: one row per scenario, payee, plan, plan version and window in which the payee's assignment stays as it is.
{%- set key = ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'plan_version'] %}
with

plan as (
    select * from {{ source('config', 'plan') }}
),

assignment as (
    select * from {{ ref('int_incentive__assignment') }}
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

planned as (
    select
        plan.scenario_id,
        assignment.payee_type,
        assignment.payee_id,
        plan.plan_id,
        plan.plan_version,
        assignment.plan_assignment_id,
        assignment.valid_from as assigned_from,
        greatest(assignment.valid_from, plan.valid_from) as valid_from,
        least(assignment.valid_to, coalesce(plan.valid_to, {{ open_end() }})) as valid_to,
        coalesce(plan.target_pay_amount, assignment.target_pay_amount) as target_pay_amount,
        coalesce(plan.currency_code, assignment.currency_code) as currency_code
    from assignment
    inner join plan
        on
            assignment.plan_id = plan.plan_id
            and assignment.payee_type = plan.payee_type
            and assignment.valid_from < coalesce(plan.valid_to, {{ open_end() }})
            and assignment.valid_to > plan.valid_from
),

-- Who has left earns no more, until they come back.
left_plan as (
    select
        planned.scenario_id,
        planned.payee_type,
        planned.payee_id,
        planned.plan_id,
        planned.plan_version,
        greatest(planned.valid_from, member_left.left_from) as valid_from,
        least(planned.valid_to, member_left.left_to) as valid_to
    from planned
    inner join member_left
        on
            planned.payee_id = member_left.member_id
            and planned.valid_from < member_left.left_to
            and planned.valid_to > member_left.left_from
    where planned.payee_type = 'member'
),

boundary as (
    {% for relation in ['planned', 'left_plan'] %}
        {% for boundary_date in ['valid_from', 'valid_to'] %}
            select
                {{ key | join(', ') }},
                {{ boundary_date }} as boundary_date
            from {{ relation }}
            {% if not loop.last %}
                union
            {% endif %}
        {% endfor %}
        {% if not loop.last %}
            union
        {% endif %}
    {% endfor %}
),

stretch as (
    select
        {{ key | join(', ') }},
        boundary_date as valid_from,
        lead(boundary_date) over (partition by {{ key | join(', ') }} order by boundary_date nulls last) as valid_to
    from boundary
),

-- Of assignments that overlap the one that began last holds: a sale inside two of them is credited once.
in_force as (
    select
        stretch.scenario_id,
        stretch.payee_type,
        stretch.payee_id,
        stretch.plan_id,
        stretch.plan_version,
        stretch.valid_from,
        stretch.valid_to,
        planned.target_pay_amount,
        planned.currency_code,
        row_number() over (
            partition by
                stretch.scenario_id, stretch.payee_type, stretch.payee_id, stretch.plan_id, stretch.plan_version, stretch.valid_from
            order by planned.assigned_from desc nulls last, planned.plan_assignment_id desc nulls last
        ) as holding_rank
    from stretch
    inner join planned
        on
            {{ same_key('stretch', 'planned', payee_key()) }}
            and stretch.valid_from >= planned.valid_from
            and stretch.valid_from < planned.valid_to
    left join left_plan
        on
            {{ same_key('stretch', 'left_plan', payee_key()) }}
            and stretch.valid_from >= left_plan.valid_from
            and stretch.valid_from < left_plan.valid_to
    where left_plan.payee_id is null
),

final as (
    select
        {{ key | join(', ') }},
        valid_from,
        valid_to,
        cast(target_pay_amount as decimal(18, 4)) as target_pay_amount,
        currency_code
    from in_force
    where
        holding_rank = 1
        and valid_to > valid_from
)

select * from final
