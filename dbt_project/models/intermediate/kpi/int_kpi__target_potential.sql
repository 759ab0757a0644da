-- Grain: one row per subject with targets but teams (and the company) and fiscal period begun.
with

target_period as (
    select *
    from {{ ref('int_kpi__target_period') }}
    where
        metric = 'net_revenue'
        and subject_type <> 'team'
),

attainment as (
    select * from {{ ref('int_kpi__attainment') }}
),

market as (
    select * from {{ ref('int_kpi__market_subject') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

stated as (
    select
        attainment.subject_type,
        attainment.subject_id,
        attainment.period_id,
        target_period.period_id is not null as has_target,
        coalesce(target_period.covers_period, false) as covers_period,
        target_period.target_value,
        target_period.unmeasured_status,
        target_period.unmeasured_reason,
        market.market_amount,
        market.best_share,
        {{ multiply('market.market_amount', 'market.best_share') }} as potential
    from attainment
    left join target_period
        on
            attainment.subject_type = target_period.subject_type
            and attainment.subject_id = target_period.subject_id
            and attainment.period_id = target_period.period_id
    left join market
        on
            attainment.subject_type = market.subject_type
            and attainment.subject_id = market.subject_id
            and attainment.period_id = market.period_id
    where
        target_period.period_id is not null
        or attainment.subject_type = 'company'
),

judged as (
    select
        *,
        case
            when not has_target then 'no_data'
            when target_value is null then coalesce(unmeasured_status, 'undefined')
            when not covers_period then 'undefined'
            when market_amount is null or best_share is null then 'no_data'
            when potential <= 0 then 'undefined'
            else 'ok'
        end as status,
        case
            when not has_target then 'no target in the period'
            when target_value is null then coalesce(unmeasured_reason, 'the target is not known')
            when not covers_period then 'targets cover only a part of the period'
            when market_amount is null then 'the market of the period is not known'
            when best_share is null then 'no share of the market known in the four periods before'
            when potential <= 0 then 'no share of the market in the four periods before'
        end as status_reason
    from stated
),

final as (
    select
        judged.subject_type,
        judged.subject_id,
        judged.period_id,
        'target_to_potential_pct' as kpi_code,
        case when judged.status = 'ok' then judged.target_value end as numerator,
        case when judged.status = 'ok' then judged.potential end as denominator,
        case
            when judged.status = 'ok'
                then cast({{ exact_divide('judged.target_value', 'judged.potential', 8) }} as decimal(28, 8))
        end as value,
        cast(case when judged.status = 'ok' then 1 else 0 end as bigint) as sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        company.fx_rate_type as rate_type,
        judged.status,
        judged.status_reason
    from judged
    cross join company
)

select * from final
