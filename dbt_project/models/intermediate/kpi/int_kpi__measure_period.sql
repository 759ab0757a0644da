-- Grain: one row per subject, fiscal period begun and measure with any event.
{{ by_fiscal_period('int_measure__period_state') }}
with

subject_month as (
    select * from {{ ref('int_measure__subject_month') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
    where {{ of_this_build('int_measure__period_state', 'period_id') }}
),

measure as (
    select * from {{ source('config', 'measure') }}
),

final as (
    select
        subject_month.subject_type,
        subject_month.subject_id,
        month_period.period_id,
        subject_month.measure_code,
        cast(sum(subject_month.event_count) as bigint) as event_count,
        cast(sum(subject_month.unknown_count) as bigint) as unknown_count,
        cast(sum(subject_month.total) as decimal(28, 8)) as total,
        cast(sum(subject_month.square_total) as decimal(28, 8)) as square_total
    from subject_month
    inner join measure on subject_month.measure_code = measure.measure_code
    inner join month_period
        on
            subject_month.fiscal_month_start = month_period.fiscal_month_start
            -- What is done after the period counts as not done in it, so that a closed period stays as it was.
            and subject_month.known_month_start < month_period.period_end
            -- What is counted at the end of a month is that of a period's last month.
            and (measure.taken = 'sum' or month_period.is_last_month)
    group by subject_month.subject_type, subject_month.subject_id, month_period.period_id, subject_month.measure_code
)

select * from final
