-- Grain: one row per scenario, payee, plan version, period and proposal that the plan makes.
with

line as (
    select * from {{ ref('int_incentive__line') }}
),

proposal as (
    select * from {{ source('config', 'plan_proposal') }}
),

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
),

attained as (
    select
        {{ payee_key(['component_id', 'period_id']) | join(', ') }},
        max(attainment) as attainment
    from line
    where period_id = earned_period_id
    group by {{ payee_key(['component_id', 'period_id']) | join(', ') }}
),

-- A proposal that names no component asks for the best of them.
measured as (
    select
        {{ columns_of('payee_period', payee_key(['period_id', 'period_start', 'period_end', 'is_complete', 'currency_code', 'period_no'])) }},
        proposal.proposal_no,
        max(attained.attainment) as attainment,
        max(case when attained.attainment >= proposal.attainment_from then 1 else 0 end) as is_reached
    from payee_period
    inner join proposal on {{ same_key('payee_period', 'proposal', plan_key()) }}
    left join attained
        on
            {{ same_key('payee_period', 'attained', payee_key(['period_id'])) }}
            and coalesce(proposal.component_id, attained.component_id) = attained.component_id
    group by
        {{ columns_of('payee_period', payee_key(['period_id', 'period_start', 'period_end', 'is_complete', 'currency_code', 'period_no'])) }},
        proposal.proposal_no
),

-- Periods in a row share the number of periods that missed before them.
islanded as (
    select
        *,
        sum(1 - is_reached) over (
            partition by {{ payee_key(['proposal_no']) | join(', ') }}
            order by period_no nulls last
            rows between unbounded preceding and current row
        ) as missed_before
    from measured
),

counted as (
    select
        *,
        sum(is_reached) over (
            partition by {{ payee_key(['proposal_no', 'missed_before']) | join(', ') }}
            order by period_no nulls last
            rows between unbounded preceding and current row
        ) as reached_count
    from islanded
),

final as (
    select
        {{ columns_of('counted', payee_key(['period_id', 'period_start', 'period_end', 'is_complete', 'proposal_no'])) }},
        proposal.award,
        proposal.proposal_name,
        proposal.proposal_name_zh,
        proposal.benefit_value as benefit_amount,
        counted.currency_code,
        counted.attainment,
        cast(counted.reached_count as integer) as reached_count,
        'attainment of ' || coalesce(proposal.component_id, 'any component') || ' from '
        || cast(proposal.attainment_from as string) || ' in ' || cast(proposal.period_count as string)
        || ' periods in a row' as reason
    from counted
    inner join proposal
        on
            {{ same_key('counted', 'proposal', plan_key(['proposal_no'])) }}
            and counted.reached_count >= proposal.period_count
    where counted.is_reached = 1
)

select * from final
