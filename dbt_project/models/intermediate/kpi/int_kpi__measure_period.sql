-- Grain: one row per subject, fiscal period begun and measure with any event.
with

subject_month as (
    select * from {{ ref('int_measure__subject_month') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

final as (
    select
        subject_month.subject_type,
        subject_month.subject_id,
        period.period_id,
        subject_month.measure_code,
        cast(sum(subject_month.event_count) as bigint) as event_count,
        cast(sum(subject_month.total) as decimal(28, 8)) as total,
        cast(sum(subject_month.square_total) as decimal(28, 8)) as square_total
    from subject_month
    inner join period
        on
            subject_month.fiscal_month_start >= period.period_start
            and subject_month.fiscal_month_start < period.period_end
            -- What is done after the period counts as not done in it, so that a closed period stays as it was.
            and subject_month.known_month_start < period.period_end
    where period.period_start < {{ built_until() }}
    group by subject_month.subject_type, subject_month.subject_id, period.period_id, subject_month.measure_code
)

select * from final
