-- Grain: one row per member, team or company and fiscal period with an opportunity expected to close or won in it.
with

month_end as (
    select * from {{ ref('int_pipeline__month_end') }}
),

event as (
    select *
    from {{ ref('int_measure__pipeline') }}
    where measure_code = 'opportunity_won_amount'
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

opportunity_stage as (
    select * from {{ ref('fct_opportunity_stage') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

-- What was open at the start is not known of periods that began before the first opportunity that was delivered.
known as (
    select min(valid_from) as known_from
    from opportunity_stage
),

-- The state at the start of a period is that at the end of the month before it.
at_start as (
    select
        period.period_id,
        month_end.member_id,
        month_end.team,
        month_end.weighted_amount_reporting
    from period
    inner join month_end
        on
            period.period_start = {{ dbt.dateadd('day', 1, 'month_end.balance_date') }}
            and period.period_start <= month_end.expected_close_date
            and period.period_end > month_end.expected_close_date
),

won as (
    select
        month_period.period_id,
        event.member_id,
        event.team,
        event.value
    from event
    inner join month_period on event.fiscal_month_start = month_period.fiscal_month_start
),

summed as (
    {% for subject_type, subject_id in measure_subjects() if subject_type in ('member', 'team', 'company') %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            count(*) as expected_count,
            count(*) - count(weighted_amount_reporting) as unknown_count,
            0 as won_count,
            cast(coalesce(sum(weighted_amount_reporting), 0) as decimal(28, 8)) as expected_amount,
            cast(0 as decimal(28, 8)) as won_amount
        from at_start
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}period_id

        union all

        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            0 as expected_count,
            count(*) - count(value) as unknown_count,
            count(*) as won_count,
            cast(0 as decimal(28, 8)) as expected_amount,
            cast(coalesce(sum(value), 0) as decimal(28, 8)) as won_amount
        from won
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}period_id
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}

    union all

    select
        'company' as subject_type,
        'company' as subject_id,
        period_id,
        0 as expected_count,
        0 as unknown_count,
        0 as won_count,
        cast(0 as decimal(28, 8)) as expected_amount,
        cast(0 as decimal(28, 8)) as won_amount
    from period
),

totalled as (
    select
        summed.subject_type,
        summed.subject_id,
        summed.period_id,
        sum(summed.expected_count) as expected_count,
        sum(summed.unknown_count) as unknown_count,
        sum(summed.won_count) as won_count,
        cast(sum(summed.expected_amount) as decimal(28, 8)) as expected_amount,
        cast(sum(summed.won_amount) as decimal(28, 8)) as won_amount
    from summed
    group by summed.subject_type, summed.subject_id, summed.period_id
),

judged as (
    select
        totalled.subject_type,
        totalled.subject_id,
        totalled.period_id,
        totalled.expected_count,
        totalled.unknown_count,
        totalled.won_count,
        totalled.expected_amount,
        totalled.won_amount,
        case
            when known.known_from is null or known.known_from >= period.period_start then 'no_data'
            when totalled.expected_count + totalled.won_count = 0 then 'no_data'
            when totalled.unknown_count > 0 then 'undefined'
            when totalled.won_amount <= 0 then 'undefined'
            else 'ok'
        end as status,
        case
            when known.known_from is null or known.known_from >= period.period_start
                then 'no opportunities delivered for the start of the period'
            when totalled.expected_count + totalled.won_count = 0
                then 'nothing expected to close in the period, and nothing won in it'
            when totalled.unknown_count > 0
                then totalled.unknown_count || ' of ' || (totalled.expected_count + totalled.won_count) || ' not known'
            when totalled.won_amount <= 0 then 'nothing won in the period'
        end as status_reason
    from totalled
    inner join period on totalled.period_id = period.period_id
    cross join known
),

final as (
    select
        judged.subject_type,
        judged.subject_id,
        judged.period_id,
        'forecast_error_pct' as kpi_code,
        case
            when judged.status = 'ok' then cast(judged.expected_amount - judged.won_amount as decimal(28, 8))
        end as numerator,
        case when judged.status = 'ok' then judged.won_amount end as denominator,
        case
            when judged.status = 'ok'
                then cast({{ exact_divide(
                    'judged.expected_amount - judged.won_amount', 'judged.won_amount', 8
                ) }} as decimal(28, 8))
        end as value,
        cast(judged.expected_count + judged.won_count as bigint) as sample_size,
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
