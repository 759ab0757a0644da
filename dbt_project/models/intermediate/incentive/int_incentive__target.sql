-- Grain: one row per scenario, payee, plan, component and period.
{%- set key = ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'period_id'] %}
with

payee_period as (
    select *
    from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

target as (
    select * from {{ ref('int_kpi__target') }}
),

eligible as (
    select
        payee_period.scenario_id,
        payee_period.payee_type,
        payee_period.payee_id,
        payee_period.plan_id,
        component.component_id,
        payee_period.period_id,
        payee_period.period_start,
        payee_period.period_end,
        component.target_metric,
        component.product_category
    from payee_period
    inner join component
        on
            payee_period.scenario_id = component.scenario_id
            and payee_period.plan_id = component.plan_id
),

-- A target counts in full, however much of the period the payee has the plan.
matched as (
    select
        eligible.scenario_id,
        eligible.payee_type,
        eligible.payee_id,
        eligible.plan_id,
        eligible.component_id,
        eligible.period_id,
        target.target_id,
        target.target_value_reporting,
        target.valid_from,
        target.valid_to,
        target.valid_from >= eligible.period_start and target.valid_to <= eligible.period_end as is_inside,
        target.valid_from = eligible.period_start and target.valid_to = eligible.period_end as is_whole_period
    from eligible
    inner join target
        on
            eligible.payee_type = target.subject_type
            and eligible.payee_id = target.subject_id
            and eligible.target_metric = target.metric
            and coalesce(eligible.product_category, '') = coalesce(target.product_category, '')
            and eligible.period_start < target.valid_to
            and eligible.period_end > target.valid_from
),

-- A target of the period itself stands for it: the months that it was cut into must not be added to it.
ranked as (
    select
        *,
        max(case when is_whole_period then 1 else 0 end) over (partition by {{ key | join(', ') }}) as has_whole_period
    from matched
),

chosen as (
    select
        *,
        valid_from < max(valid_to) over (
            partition by {{ key | join(', ') }}
            order by valid_from nulls last, valid_to nulls last, target_id nulls last
            rows between unbounded preceding and 1 preceding
        ) as is_overlapping
    from ranked
    where
        is_whole_period
        or (is_inside and has_whole_period = 0)
),

summed as (
    select
        {{ key | join(', ') }},
        cast(sum(target_value_reporting) as decimal(28, 8)) as target_value,
        {{ ordered_list('target_id', "', '", 'target_id') }} as target_ids,
        count(*) - count(target_value_reporting) as unconverted_count,
        sum(case when is_overlapping then 1 else 0 end) as overlapping_count
    from chosen
    group by {{ key | join(', ') }}
),

reaching as (
    select {{ key | join(', ') }}
    from matched
    where not is_inside
    group by {{ key | join(', ') }}
),

judged as (
    select
        eligible.scenario_id,
        eligible.payee_type,
        eligible.payee_id,
        eligible.plan_id,
        eligible.component_id,
        eligible.period_id,
        case when summed.unconverted_count = 0 and summed.overlapping_count = 0 then summed.target_value end as target_value,
        summed.target_ids,
        case
            when summed.unconverted_count > 0 then 'there is no plan rate for a target'
            when summed.overlapping_count > 0 then 'targets of the period overlap'
        end as held_reason,
        case
            when summed.period_id is null and reaching.period_id is not null
                then 'the window of the target reaches beyond the period'
            when summed.period_id is null then 'there is no target in the period'
            when summed.target_value = 0 then 'the target is zero'
            when summed.target_value < 0 then 'the target is negative'
        end as not_paid_reason
    from eligible
    left join summed
        on
            eligible.scenario_id = summed.scenario_id
            and eligible.payee_type = summed.payee_type
            and eligible.payee_id = summed.payee_id
            and eligible.plan_id = summed.plan_id
            and eligible.component_id = summed.component_id
            and eligible.period_id = summed.period_id
    left join reaching
        on
            eligible.scenario_id = reaching.scenario_id
            and eligible.payee_type = reaching.payee_type
            and eligible.payee_id = reaching.payee_id
            and eligible.plan_id = reaching.plan_id
            and eligible.component_id = reaching.component_id
            and eligible.period_id = reaching.period_id
),

final as (
    select
        {{ key | join(', ') }},
        target_value,
        target_ids,
        case
            when held_reason is not null then 'held'
            when not_paid_reason is not null then 'not_paid'
            else 'ok'
        end as status,
        coalesce(held_reason, not_paid_reason) as reason
    from judged
)

select * from final
