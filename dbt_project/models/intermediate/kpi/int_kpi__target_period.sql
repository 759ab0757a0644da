-- Grain: one row per subject, fiscal period and metric with targets for all categories that lie inside the period.
{%- set cover_note = "'targets cover ' || window_days || ' of ' || period_days || ' days'" %}
with

target_window as (
    select * from {{ ref('int_kpi__target_window') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

inside as (
    select
        target_window.subject_type,
        target_window.subject_id,
        period.period_id,
        target_window.metric,
        target_window.target_id,
        target_window.valid_from,
        target_window.valid_to,
        target_window.is_ahead,
        target_window.valid_from = period.period_start and target_window.valid_to = period.period_end as is_whole_period,
        target_window.is_additive,
        target_window.target_value_compared as target_value,
        target_window.actual_value,
        target_window.sample_size,
        {{ dbt.datediff('target_window.valid_from', 'target_window.valid_to', 'day') }} as window_days,
        {{ dbt.datediff('period.period_start', 'period.period_end', 'day') }} as period_days,
        target_window.status,
        target_window.status_reason
    from target_window
    inner join period
        on
            target_window.valid_from >= period.period_start
            and target_window.valid_to <= period.period_end
    where
        target_window.product_category is null
        and period.period_start < {{ built_until() }}
),

-- A target of the period itself stands for it: the months that it was cut into must not be added to it.
-- Only sums add up: the target of a share is the one set for the very period.
eligible as (
    select
        subject_type,
        subject_id,
        period_id,
        metric,
        target_id,
        valid_from,
        valid_to,
        is_ahead,
        is_additive,
        target_value,
        actual_value,
        sample_size,
        window_days,
        period_days,
        status,
        status_reason,
        is_whole_period,
        max(case when is_whole_period then 1 else 0 end) over (
            partition by subject_type, subject_id, period_id, metric
        ) as has_whole_period
    from inside
),

chosen as (
    select
        *,
        valid_from < max(valid_to) over (
            partition by subject_type, subject_id, period_id, metric
            order by valid_from nulls last, valid_to nulls last, target_id nulls last
            rows between unbounded preceding and 1 preceding
        ) as is_overlapping
    from eligible
    where
        is_whole_period
        or (is_additive and has_whole_period = 0)
),

-- Targets that overlap would count a sale and a target twice: which one holds is for a person to settle.
-- A running period is shown to date: a window that has not begun has its target and no sales yet.
summed as (
    select
        subject_type,
        subject_id,
        period_id,
        metric,
        bool_and(is_additive) as is_additive,
        count(*) as target_count,
        count(*) filter (where is_ahead) as ahead_count,
        count(*) filter (where is_overlapping) as overlapping_count,
        count(actual_value) as measured_count,
        count(target_value) as valued_count,
        sum(target_value) as target_value,
        sum(actual_value) as actual_value,
        sum(sample_size) as sample_size,
        sum(window_days) as window_days,
        max(period_days) as period_days,
        min(case when actual_value is null and not is_ahead then status end) as unmeasured_status,
        min(case when actual_value is null and not is_ahead then status_reason end) as unmeasured_reason,
        min(case when is_ahead then status_reason end) as ahead_reason,
        min(case when actual_value is not null then status_reason end) as measured_reason
    from chosen
    group by subject_type, subject_id, period_id, metric
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        metric,
        is_additive,
        cast(target_count as bigint) as target_count,
        case
            when overlapping_count = 0 and valued_count = target_count then cast(target_value as decimal(28, 8))
        end as target_value,
        case
            when overlapping_count = 0 and measured_count > 0 and measured_count + ahead_count = target_count
                then cast(actual_value as decimal(28, 8))
        end as actual_value,
        cast(sample_size as bigint) as sample_size,
        case
            when overlapping_count > 0 then 'undefined'
            when ahead_count = target_count then 'no_data'
            else unmeasured_status
        end as unmeasured_status,
        case
            when overlapping_count > 0 then 'targets of the period overlap'
            when ahead_count = target_count then ahead_reason
            else unmeasured_reason
        end as unmeasured_reason,
        overlapping_count = 0 and coalesce(window_days = period_days, false) as covers_period,
        case when overlapping_count = 0 and window_days < period_days then {{ cover_note }} end as cover_note,
        case
            when ahead_count > 0 then ahead_count || ' of ' || target_count || ' target windows are still to begin'
            when window_days < period_days then {{ cover_note }}
            else measured_reason
        end as note
    from summed
)

select * from final
