-- Grain: one row per plan presented to a payee.
with

plan_acceptance as (
    select * from {{ ref('int_current__plan_acceptance') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

final as (
    select
        plan_acceptance.acceptance_id,
        plan_acceptance.plan_id,
        plan_acceptance.plan_version,
        plan_acceptance.payee_type,
        plan_acceptance.payee_id,
        plan_acceptance.presented_date,
        plan_acceptance.due_date,
        plan_acceptance.decided_date,
        plan_acceptance.outcome,
        plan_acceptance.comment,
        calendar.fiscal_month_start,
        plan_acceptance.outcome is not null as is_answered,
        -- Nobody is late before the last day for the answer is over.
        case
            when plan_acceptance.due_date is null then cast(null as boolean)
            when plan_acceptance.decided_date is not null then plan_acceptance.decided_date <= plan_acceptance.due_date
            when plan_acceptance.due_date < {{ as_of_date() }} then false
        end as is_in_time,
        plan_acceptance._source,
        plan_acceptance._source_file,
        plan_acceptance._delivery_id,
        plan_acceptance._row_number,
        plan_acceptance._row_part,
        plan_acceptance._received_date
    from plan_acceptance
    left join calendar on plan_acceptance.presented_date = calendar.date_day
)

select * from final
