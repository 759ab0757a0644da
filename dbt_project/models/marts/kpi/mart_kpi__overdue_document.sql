-- Grain: one row per invoice and currency that is open past its due date at the end of the last month built, or as of.
with

invoice as (
    select *
    from {{ ref('fct_invoice') }}
    where open_amount > 0
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

dealer as (
    select *
    from {{ ref('dim_dealer') }}
    where is_latest
),

overdue as (
    select
        *,
        least({{ built_until() }}, {{ as_of_date() }}) as stated_date,
        cast({{ dbt.dateadd('day', -1, 'least(' ~ built_until() ~ ', ' ~ as_of_date() ~ ')') }} as date) as last_day
    from invoice
    where due_date < least({{ built_until() }}, {{ as_of_date() }})
),

aged as (
    select
        *,
        {{ dbt.datediff('due_date', 'stated_date', 'day') }} as days_overdue
    from overdue
),

final as (
    select
        aged.transaction_id,
        aged.dealer_id,
        dealer.dealer_name,
        aged.dealer_region,
        aged.sale_date,
        aged.due_date,
        aged.is_due_date_imputed,
        aged.stated_date,
        cast(aged.days_overdue as integer) as days_overdue,
        case
            when aged.days_overdue <= 30 then '1-30'
            when aged.days_overdue <= 60 then '31-60'
            when aged.days_overdue <= 90 then '61-90'
            else 'over 90'
        end as age_bucket,
        aged.currency_code,
        aged.invoiced_amount,
        aged.paid_amount,
        aged.open_amount,
        company.reporting_currency_code,
        {{ multiply('aged.open_amount', 'day_rate.rate') }} as open_amount_reporting,
        case when day_rate.rate is null then 'no_rate' else 'ok' end as fx_status
    from aged
    cross join company
    left join dealer on aged.dealer_id = dealer.dealer_id
    left join day_rate
        on
            aged.currency_code = day_rate.currency_code
            and aged.last_day = day_rate.date_day
            and company.fx_rate_type = day_rate.rate_type
)

select * from final
