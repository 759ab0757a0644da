-- Grain: one row per scenario, payee, plan, component, period and band.
{%- set key = ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'component_id', 'period_id'] %}
with

payee_period as (
    select * from {{ ref('int_incentive__payee_period') }}
),

achieved as (
    select * from {{ ref('int_incentive__achieved') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

band as (
    select * from {{ source('config', 'plan_band') }}
),

eligible as (
    select
        achieved.*,
        component.kind,
        component.bonus_amount,
        component.min_attainment
    from achieved
    inner join component
        on
            achieved.scenario_id = component.scenario_id
            and achieved.plan_id = component.plan_id
            and achieved.component_id = component.component_id
),

-- Without a revenue and a target that can be relied on there are no bands: one line says why.
stopped as (
    select
        {{ key | join(', ') }},
        0 as band_no,
        cast(null as decimal(18, 6)) as lower_bound,
        cast(null as decimal(18, 6)) as upper_bound,
        cast(credited_amount as decimal(28, 10)) as base_amount,
        cast(null as decimal(18, 6)) as rate,
        cast(case when status = 'not_paid' then 0 end as decimal(18, 2)) as amount,
        reason as unpaid_reason
    from eligible
    where status <> 'ok'
),

sliced as (
    select
        eligible.scenario_id,
        eligible.payee_type,
        eligible.payee_id,
        eligible.plan_id,
        eligible.component_id,
        eligible.period_id,
        eligible.credited_amount,
        band.band_no,
        band.lower_bound,
        band.upper_bound,
        {{ attainment_slice(
            'eligible.credited_amount', 'eligible.target_value', 'band.lower_bound', 'band.upper_bound'
        ) }} as base_amount,
        band.rate,
        band.outside
    from eligible
    inner join band
        on
            eligible.scenario_id = band.scenario_id
            and eligible.plan_id = band.plan_id
            and eligible.component_id = band.component_id
    where
        eligible.status = 'ok'
        and eligible.kind = 'commission'
),

commission as (
    select
        {{ key | join(', ') }},
        band_no,
        lower_bound,
        upper_bound,
        base_amount,
        rate,
        -- A stretch that waits for a person has no rate, which does not matter until it is reached.
        cast(case when base_amount = 0 then 0 else {{ round_half_up('base_amount * rate', 2) }} end as decimal(18, 2))
            as amount,
        case
            when credited_amount = 0 then 'the credited sales of the period come to zero'
            when base_amount = 0 then 'the band is not reached'
            when outside = 'hold' then 'outside the bands; the plan holds it for a person'
            when outside = 'zero' then 'outside the bands; the plan pays nothing there'
            when rate = 0 then 'the rate of the band is zero'
            else 'less than half a cent'
        end as unpaid_reason
    from sliced
),

bonus as (
    select
        {{ key | join(', ') }},
        0 as band_no,
        min_attainment as lower_bound,
        cast(null as decimal(18, 6)) as upper_bound,
        cast(credited_amount as decimal(28, 10)) as base_amount,
        cast(null as decimal(18, 6)) as rate,
        -- Compared by multiplication: a rounded quotient could reach a mark that the revenue does not.
        cast(case when credited_amount >= min_attainment * target_value then bonus_amount else 0 end as decimal(18, 2))
            as amount,
        'the attainment is below the mark' as unpaid_reason
    from eligible
    where
        status = 'ok'
        and kind = 'bonus'
),

line as (
    select * from stopped
    union all
    select * from commission
    union all
    select * from bonus
),

final as (
    select
        line.scenario_id,
        concat_ws(
            ':',
            line.scenario_id,
            line.payee_type,
            line.payee_id,
            line.plan_id,
            line.component_id,
            line.period_id,
            cast(line.band_no as string)
        ) as statement_line_id,
        line.payee_type,
        line.payee_id,
        line.plan_id,
        payee_period.plan_version,
        payee_period.plan_hash,
        payee_period.plan_file,
        line.component_id,
        component.component_no,
        component.component_name,
        component.component_name_zh,
        component.kind,
        line.period_id,
        payee_period.period_start,
        payee_period.period_end,
        payee_period.is_complete,
        line.band_no,
        line.lower_bound,
        line.upper_bound,
        achieved.line_count as credited_line_count,
        achieved.credited_amount,
        achieved.target_value,
        achieved.target_ids,
        achieved.attainment,
        line.base_amount,
        line.rate,
        line.amount,
        payee_period.currency_code,
        case
            when line.amount is null then 'held'
            when line.amount = 0 then 'not_paid'
            else 'paid'
        end as status,
        case when coalesce(line.amount, 0) = 0 then line.unpaid_reason end as reason
    from line
    inner join achieved
        on
            line.scenario_id = achieved.scenario_id
            and line.payee_type = achieved.payee_type
            and line.payee_id = achieved.payee_id
            and line.plan_id = achieved.plan_id
            and line.component_id = achieved.component_id
            and line.period_id = achieved.period_id
    inner join payee_period
        on
            line.scenario_id = payee_period.scenario_id
            and line.payee_type = payee_period.payee_type
            and line.payee_id = payee_period.payee_id
            and line.plan_id = payee_period.plan_id
            and line.period_id = payee_period.period_id
    inner join component
        on
            line.scenario_id = component.scenario_id
            and line.plan_id = component.plan_id
            and line.component_id = component.component_id
)

select * from final
