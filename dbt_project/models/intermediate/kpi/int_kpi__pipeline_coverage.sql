-- Grain: one row per subject with a revenue target in a fiscal period begun, and for the company in every period.
with

month_end as (
    select * from {{ ref('int_pipeline__month_end') }}
),

month_period as (
    select *
    from {{ ref('int_calendar__month_period') }}
    where is_last_month
),

target_period as (
    select *
    from {{ ref('int_kpi__target_period') }}
    where
        metric = 'net_revenue'
        and subject_type in ('member', 'team', 'region', 'company')
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

company as (
    select * from {{ source('config', 'company') }}
),

opportunity_stage as (
    select * from {{ ref('fct_opportunity_stage') }}
),

-- Before the first opportunity that was delivered there is nothing to cover a target with, and nobody knows of it.
known as (
    select min(valid_from) as known_from
    from opportunity_stage
),

expected as (
    select
        month_period.period_id,
        month_end.member_id,
        month_end.team,
        month_end.region,
        month_end.amount_plan
    from month_end
    inner join month_period
        on
            month_end.fiscal_month_start = month_period.fiscal_month_start
            and month_end.expected_close_date >= month_period.period_start
            and month_end.expected_close_date < month_period.period_end
),

summed as (
    {% for subject_type, subject_id in measure_subjects() if subject_type in ('member', 'team', 'region', 'company') %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            count(*) as opportunity_count,
            count(*) - count(amount_plan) as unknown_count,
            cast(coalesce(sum(amount_plan), 0) as decimal(28, 8)) as open_amount
        from expected
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}period_id
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

stated as (
    select
        subject_type,
        subject_id,
        period_id
    from target_period

    union

    select
        'company' as subject_type,
        'company' as subject_id,
        period_id
    from period
),

judged as (
    select
        stated.subject_type,
        stated.subject_id,
        stated.period_id,
        coalesce(summed.opportunity_count, 0) as opportunity_count,
        coalesce(summed.unknown_count, 0) as unknown_count,
        coalesce(summed.open_amount, cast(0 as decimal(28, 8))) as open_amount,
        cast(target_period.target_value - target_period.actual_value as decimal(28, 8)) as rest_amount,
        target_period.actual_value,
        target_period.period_id is not null as has_target,
        coalesce(target_period.covers_period, false) as covers_period,
        known.known_from is not null and known.known_from < period.period_end as is_known,
        target_period.target_value,
        target_period.unmeasured_status,
        target_period.unmeasured_reason
    from stated
    inner join period on stated.period_id = period.period_id
    cross join known
    left join target_period
        on
            stated.subject_type = target_period.subject_type
            and stated.subject_id = target_period.subject_id
            and stated.period_id = target_period.period_id
    left join summed
        on
            stated.subject_type = summed.subject_type
            and stated.subject_id = summed.subject_id
            and stated.period_id = summed.period_id
),

explained as (
    select
        subject_type,
        subject_id,
        period_id,
        opportunity_count,
        open_amount,
        rest_amount,
        case
            when not has_target then 'no_data'
            when actual_value is null then coalesce(unmeasured_status, 'no_data')
            when target_value is null then 'undefined'
            when not covers_period then 'undefined'
            when not is_known then 'no_data'
            when unknown_count > 0 or rest_amount <= 0 then 'undefined'
            else 'ok'
        end as status,
        case
            when not has_target then 'no target in the period'
            when actual_value is null then coalesce(unmeasured_reason, 'no sales delivered for the window')
            when target_value is null then 'the target could not be converted'
            when not covers_period then 'targets cover only a part of the period'
            when not is_known then 'no opportunities delivered for the period'
            when unknown_count > 0 then unknown_count || ' of ' || opportunity_count || ' not known'
            when rest_amount <= 0 then 'the target is reached'
        end as status_reason
    from judged
),

final as (
    select
        explained.subject_type,
        explained.subject_id,
        explained.period_id,
        'pipeline_coverage' as kpi_code,
        case when explained.status = 'ok' then explained.open_amount end as numerator,
        case when explained.status = 'ok' then explained.rest_amount end as denominator,
        case
            when explained.status = 'ok'
                then cast({{ exact_divide('explained.open_amount', 'explained.rest_amount', 8) }} as decimal(28, 8))
        end as value,
        cast(explained.opportunity_count as bigint) as sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        company.plan_fx_rate_type as rate_type,
        explained.status,
        explained.status_reason
    from explained
    cross join company
)

select * from final
