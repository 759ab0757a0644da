-- Grain: one row per adjustment.
with

adjustment as (
    select * from {{ ref('int_current__adjustment') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

final as (
    select
        adjustment.adjustment_id,
        adjustment.payee_type,
        adjustment.payee_id,
        adjustment.plan_id,
        adjustment.effective_date,
        adjustment.amount,
        adjustment.currency_code,
        adjustment.reason,
        adjustment.requested_by_id,
        adjustment.approved_by_id,
        adjustment.approved_date,
        calendar.fiscal_month_start,
        adjustment.approved_by_id is not null as is_approved,
        {{ multiply('adjustment.amount', 'day_rate.rate') }} as amount_reporting,
        adjustment._source,
        adjustment._source_file,
        adjustment._delivery_id,
        adjustment._row_number,
        adjustment._row_part,
        adjustment._received_date
    from adjustment
    left join calendar on adjustment.effective_date = calendar.date_day
    cross join company
    left join day_rate
        on
            company.fx_rate_type = day_rate.rate_type
            and adjustment.currency_code = day_rate.currency_code
            and adjustment.effective_date = day_rate.date_day
)

select * from final
