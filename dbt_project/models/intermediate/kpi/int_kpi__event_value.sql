-- Grain: one row per subject, fiscal period begun and KPI of training or satisfaction.
with

population as (
    select * from {{ ref('int_kpi__population') }}
),

event_period as (
    select * from {{ ref('int_kpi__event_period') }}
),

counted as (
    select
        population.subject_type,
        population.subject_id,
        population.period_id,
        coalesce(event_period.due_count, 0) as due_count,
        coalesce(event_period.completed_count, 0) as completed_count,
        coalesce(event_period.sent_count, 0) as sent_count,
        coalesce(event_period.answered_count, 0) as answered_count,
        coalesce(event_period.top_two_count, 0) as top_two_count,
        event_period.score_total,
        event_period.score_square_total
    from population
    left join event_period
        on
            population.subject_type = event_period.subject_type
            and population.subject_id = event_period.subject_id
            and population.period_id = event_period.period_id
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        'training_completion_pct' as kpi_code,
        case when due_count > 0 then cast(completed_count as decimal(28, 8)) end as numerator,
        case when due_count > 0 then cast(due_count as decimal(28, 8)) end as denominator,
        cast({{ exact_divide('completed_count', 'due_count', 8) }} as decimal(28, 8)) as value,
        due_count as sample_size,
        {{ wilson_bound('completed_count', 'due_count', 'low') }} as ci_low,
        {{ wilson_bound('completed_count', 'due_count', 'high') }} as ci_high,
        case when due_count > 0 then 'wilson' end as ci_method,
        case when due_count > 0 then 'ok' else 'no_data' end as status,
        case when due_count = 0 then 'no training due in the period' end as status_reason
    from counted

    union all

    select
        subject_type,
        subject_id,
        period_id,
        'csat_pct' as kpi_code,
        case when answered_count > 0 then cast(top_two_count as decimal(28, 8)) end as numerator,
        case when answered_count > 0 then cast(answered_count as decimal(28, 8)) end as denominator,
        cast({{ exact_divide('top_two_count', 'answered_count', 8) }} as decimal(28, 8)) as value,
        answered_count as sample_size,
        {{ wilson_bound('top_two_count', 'answered_count', 'low') }} as ci_low,
        {{ wilson_bound('top_two_count', 'answered_count', 'high') }} as ci_high,
        case when answered_count > 0 then 'wilson' end as ci_method,
        case when answered_count > 0 then 'ok' else 'no_data' end as status,
        case
            when sent_count = 0 then 'no survey sent in the period'
            when answered_count = 0 then 'none of ' || sent_count || ' surveys answered'
        end as status_reason
    from counted

    union all

    select
        subject_type,
        subject_id,
        period_id,
        'csat_mean' as kpi_code,
        case when answered_count > 0 then score_total end as numerator,
        case when answered_count > 0 then cast(answered_count as decimal(28, 8)) end as denominator,
        cast({{ exact_divide('score_total', 'answered_count', 8) }} as decimal(28, 8)) as value,
        answered_count as sample_size,
        {{ mean_bound('score_total', 'score_square_total', 'answered_count', 'low') }} as ci_low,
        {{ mean_bound('score_total', 'score_square_total', 'answered_count', 'high') }} as ci_high,
        case when answered_count > 0 then 'normal' end as ci_method,
        case when answered_count > 0 then 'ok' else 'no_data' end as status,
        case
            when sent_count = 0 then 'no survey sent in the period'
            when answered_count = 0 then 'none of ' || sent_count || ' surveys answered'
        end as status_reason
    from counted
)

select * from final
