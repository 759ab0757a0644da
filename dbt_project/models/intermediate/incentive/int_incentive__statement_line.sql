-- Grain: one row per scenario, payee, plan version, component, currency, period, kind of line and what it is about.
{%- set key = payee_key(['component_id', 'currency_code', 'period_id']) %}
with

earned as (
    select * from {{ ref('int_incentive__line') }}
),

settled as (
    select * from {{ ref('int_incentive__settled') }}
),

late as (
    select * from {{ ref('int_incentive__late') }}
),

drawn as (
    select * from {{ ref('int_incentive__drawn') }}
),

bounded as (
    select * from {{ ref('int_incentive__bounded') }}
    where limited_amount <> amount
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

listed as (
    select
        {{ key | join(', ') }},
        'earned' as line_kind,
        cast(rule_no as string) || '.' || cast(segment_no as string)
        || case when earned_period_id <> period_id then ' ' || earned_period_id else '' end as line_detail,
        rule_no,
        rate_rule_no,
        band_no,
        lower_bound,
        upper_bound,
        pays,
        event_count,
        measure_amount,
        target_value,
        target_ids,
        attainment,
        base_amount,
        band_value as rate,
        cast(null as string) as earlier_period_id,
        cast(null as string) as cause,
        amount,
        reason
    from earned

    union all

    select
        {{ key | join(', ') }},
        line_kind,
        line_detail,
        cast(null as integer) as rule_no,
        cast(null as integer) as rate_rule_no,
        cast(null as integer) as band_no,
        cast(null as decimal(18, 6)) as lower_bound,
        cast(null as decimal(18, 6)) as upper_bound,
        cast(null as string) as pays,
        cast(null as bigint) as event_count,
        cast(null as decimal(28, 8)) as measure_amount,
        cast(null as decimal(28, 8)) as target_value,
        cast(null as string) as target_ids,
        cast(null as decimal(28, 8)) as attainment,
        base_amount,
        cast(factor as decimal(18, 6)) as rate,
        cast(null as string) as earlier_period_id,
        cast(null as string) as cause,
        amount,
        reason
    from settled

    union all

    select
        {{ key | join(', ') }},
        'late' as line_kind,
        earlier_period_id || case when is_explained then ' ' || cause else '' end as line_detail,
        cast(null as integer) as rule_no,
        cast(null as integer) as rate_rule_no,
        cast(null as integer) as band_no,
        cast(null as decimal(18, 6)) as lower_bound,
        cast(null as decimal(18, 6)) as upper_bound,
        cast(null as string) as pays,
        cast(null as bigint) as event_count,
        cast(null as decimal(28, 8)) as measure_amount,
        cast(null as decimal(28, 8)) as target_value,
        cast(null as string) as target_ids,
        cast(null as decimal(28, 8)) as attainment,
        cast(now_amount as decimal(28, 10)) as base_amount,
        cast(null as decimal(18, 6)) as rate,
        earlier_period_id,
        case when is_explained then cause end as cause,
        amount,
        case
            when amount is null then 'a line of the paid period waits for a person now'
            {% for cause, reason in late_causes() %}
                when cause = '{{ cause }}' and is_explained then '{{ reason }}'
            {% endfor %}
            else 'what the period comes to now, less what was paid for it'
        end as reason
    from late

    union all

    select
        {{ payee_key() | join(', ') }},
        'statement' as component_id,
        currency_code,
        period_id,
        'statement_limit' as line_kind,
        '' as line_detail,
        cast(null as integer) as rule_no,
        cast(null as integer) as rate_rule_no,
        cast(null as integer) as band_no,
        cast(null as decimal(18, 6)) as lower_bound,
        cast(null as decimal(18, 6)) as upper_bound,
        'limit' as pays,
        cast(null as bigint) as event_count,
        cast(null as decimal(28, 8)) as measure_amount,
        cast(null as decimal(28, 8)) as target_value,
        cast(null as string) as target_ids,
        cast(null as decimal(28, 8)) as attainment,
        cast(amount as decimal(28, 10)) as base_amount,
        cast(null as decimal(18, 6)) as rate,
        cast(null as string) as earlier_period_id,
        cast(null as string) as cause,
        cast(limited_amount - amount as decimal(18, 2)) as amount,
        case when limited_amount > amount then 'the floor of the statement' else 'the cap of the statement' end as reason
    from bounded

    {% for line_kind, amount, condition in [
        ('draw', 'paid_amount', 'true'),
        ('draw_recovery', '-recovered_amount', 'recovered_amount <> 0'),
    ] %}
        union all

        select
            {{ payee_key() | join(', ') }},
            'statement' as component_id,
            currency_code,
            period_id,
            '{{ line_kind }}' as line_kind,
            cast(draw_no as string) as line_detail,
            cast(null as integer) as rule_no,
            cast(null as integer) as rate_rule_no,
            cast(null as integer) as band_no,
            cast(null as decimal(18, 6)) as lower_bound,
            cast(null as decimal(18, 6)) as upper_bound,
            kind as pays,
            cast(null as bigint) as event_count,
            cast(null as decimal(28, 8)) as measure_amount,
            cast(null as decimal(28, 8)) as target_value,
            cast(null as string) as target_ids,
            cast(null as decimal(28, 8)) as attainment,
            cast(draw_amount as decimal(28, 10)) as base_amount,
            cast(null as decimal(18, 6)) as rate,
            cast(null as string) as earlier_period_id,
            cast(null as string) as cause,
            cast({{ amount }} as decimal(18, 2)) as amount,
            case
                when '{{ line_kind }}' = 'draw_recovery' then 'paid back'
                when paid_amount = 0 and draw_amount = 0 then 'the draw has ended'
                when paid_amount = 0 then 'the earnings reach the guarantee'
            end as reason
        from drawn
        where {{ condition }}
    {% endfor %}
),

final as (
    select
        listed.scenario_id,
        concat_ws(
            ':',
            listed.scenario_id,
            listed.payee_type,
            listed.payee_id,
            listed.plan_id,
            cast(listed.plan_version as string),
            listed.component_id,
            listed.currency_code,
            listed.period_id,
            listed.line_kind,
            listed.line_detail
        ) as statement_line_id,
        listed.payee_type,
        listed.payee_id,
        listed.plan_id,
        cast(listed.plan_version as integer) as plan_version,
        plan.plan_hash,
        plan.plan_file,
        listed.component_id,
        component.component_no,
        case listed.component_id
            when 'statement' then 'Whole statement'
            when 'adjustment' then 'Adjustment'
            else coalesce(component.component_name, listed.component_id)
        end as component_name,
        case listed.component_id
            when 'statement' then '整份结算单'
            when 'adjustment' then '人工调整'
            else coalesce(component.component_name_zh, listed.component_id)
        end as component_name_zh,
        listed.period_id,
        period.period_start,
        period.period_end,
        period.is_complete,
        listed.line_kind,
        listed.line_detail,
        listed.earlier_period_id,
        listed.cause,
        listed.rule_no,
        listed.rate_rule_no,
        cast(listed.band_no as integer) as band_no,
        listed.lower_bound,
        listed.upper_bound,
        listed.pays,
        listed.event_count as credited_line_count,
        listed.measure_amount as credited_amount,
        listed.target_value,
        listed.target_ids,
        listed.attainment,
        listed.base_amount,
        listed.rate,
        listed.amount,
        listed.currency_code,
        case
            when listed.amount is null then 'held'
            when listed.amount = 0 then 'not_paid'
            else 'paid'
        end as status,
        listed.reason
    from listed
    inner join period on listed.period_id = period.period_id
    left join plan on {{ same_key('listed', 'plan', plan_key()) }}
    left join component on {{ same_key('listed', 'component', plan_key(['component_id'])) }}
)

select * from final
