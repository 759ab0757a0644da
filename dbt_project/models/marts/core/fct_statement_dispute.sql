-- Grain: one row per dispute about a statement.
with

statement_dispute as (
    select * from {{ ref('int_current__statement_dispute') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

final as (
    select
        statement_dispute.dispute_id,
        statement_dispute.payee_type,
        statement_dispute.payee_id,
        statement_dispute.plan_id,
        statement_dispute.period_id,
        statement_dispute.disputed_amount,
        statement_dispute.currency_code,
        statement_dispute.opened_date,
        statement_dispute.due_date,
        statement_dispute.decided_date,
        statement_dispute.decided_by_id,
        statement_dispute.outcome,
        statement_dispute.reason,
        calendar.fiscal_month_start,
        statement_dispute.outcome is null as is_open,
        case
            when statement_dispute.due_date is null then cast(null as boolean)
            when statement_dispute.decided_date is not null then statement_dispute.decided_date <= statement_dispute.due_date
            when statement_dispute.due_date < {{ as_of_date() }} then false
        end as is_in_time,
        statement_dispute._source,
        statement_dispute._source_file,
        statement_dispute._delivery_id,
        statement_dispute._row_number,
        statement_dispute._row_part,
        statement_dispute._received_date
    from statement_dispute
    left join calendar on statement_dispute.opened_date = calendar.date_day
)

select * from final
