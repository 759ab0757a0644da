-- Grain: one row per subject, fiscal period begun and KPI days_sales_outstanding.
with

subject_month as (
    select *
    from {{ ref('int_measure__subject_month') }}
    where
        measure_code = 'receivable_amount'
        and subject_type <> 'category'
),

month_period as (
    select *
    from {{ ref('int_calendar__month_period') }}
    where is_last_month
),

month_end as (
    select * from {{ ref('int_collection__month_end') }}
),

start as (
    select * from {{ ref('int_collection__start') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

sale_line as (
    select *
    from {{ ref('fct_sale_line') }}
    where channel is distinct from 'sell_out'
),

credit as (
    select * from {{ ref('int_credit__sale_line') }}
),

first_sale as (
    select min(sale_date) as sale_date from sale_line
),

-- Each day belongs to the ninety days before some three month ends.
window_day as (
    select
        month_end.fiscal_month_start,
        calendar.date_day
    from month_end
    inner join calendar
        on
            month_end.ninety_days_before <= calendar.date_day
            and month_end.until_date > calendar.date_day
),

day_revenue as (
    select
        'dealer' as subject_type,
        dealer_id as subject_id,
        sale_date,
        sum(net_amount_reporting) as net_revenue,
        count(*) - count(net_amount_reporting) as unknown_count
    from sale_line
    group by dealer_id, sale_date

    union all

    select
        'region' as subject_type,
        coalesce(dealer_region, '{{ unassigned() }}') as subject_id,
        sale_date,
        sum(net_amount_reporting) as net_revenue,
        count(*) - count(net_amount_reporting) as unknown_count
    from sale_line
    group by dealer_region, sale_date

    union all

    select
        'company' as subject_type,
        'company' as subject_id,
        sale_date,
        sum(net_amount_reporting) as net_revenue,
        count(*) - count(net_amount_reporting) as unknown_count
    from sale_line
    group by sale_date

    union all

    select
        'member' as subject_type,
        member_id as subject_id,
        sale_date,
        sum(credited_net_amount_reporting) as net_revenue,
        count(*) - count(credited_net_amount_reporting) as unknown_count
    from credit
    where member_id is not null
    group by member_id, sale_date

    union all

    select
        'team' as subject_type,
        member_team as subject_id,
        sale_date,
        sum(credited_net_amount_reporting) as net_revenue,
        count(*) - count(credited_net_amount_reporting) as unknown_count
    from credit
    where member_team is not null
    group by member_team, sale_date
),

revenue as (
    select
        day_revenue.subject_type,
        day_revenue.subject_id,
        window_day.fiscal_month_start,
        cast(coalesce(sum(day_revenue.net_revenue), 0) as decimal(28, 8)) as net_revenue,
        cast(sum(day_revenue.unknown_count) as bigint) as unknown_count
    from day_revenue
    inner join window_day on day_revenue.sale_date = window_day.date_day
    group by day_revenue.subject_type, day_revenue.subject_id, window_day.fiscal_month_start
),

listed as (
    select
        subject_type,
        subject_id,
        fiscal_month_start
    from revenue

    union

    select
        subject_type,
        subject_id,
        fiscal_month_start
    from subject_month

    union

    select
        'company' as subject_type,
        'company' as subject_id,
        fiscal_month_start
    from month_end
),

measured as (
    select
        listed.subject_type,
        listed.subject_id,
        listed.fiscal_month_start,
        cast(coalesce(subject_month.total, 0) as decimal(28, 8)) as open_amount,
        coalesce(revenue.net_revenue, 0) as net_revenue,
        coalesce(subject_month.event_count, 0) as sample_size,
        coalesce(subject_month.unknown_count, 0) + coalesce(revenue.unknown_count, 0) as unknown_count,
        start.receivables_from is not null and start.receivables_from < month_end.until_date as is_followed,
        start.receivables_from <= month_end.ninety_days_before
        and first_sale.sale_date <= month_end.ninety_days_before as is_followed_whole
    from listed
    inner join month_end on listed.fiscal_month_start = month_end.fiscal_month_start
    cross join first_sale
    left join start on start.receivables_from is not null
    left join revenue
        on
            listed.subject_type = revenue.subject_type
            and listed.subject_id = revenue.subject_id
            and listed.fiscal_month_start = revenue.fiscal_month_start
    left join subject_month
        on
            listed.subject_type = subject_month.subject_type
            and listed.subject_id = subject_month.subject_id
            and listed.fiscal_month_start = subject_month.fiscal_month_start
),

judged as (
    select
        subject_type,
        subject_id,
        fiscal_month_start,
        open_amount,
        net_revenue,
        sample_size,
        unknown_count,
        case
            when not is_followed then 'no_data'
            when unknown_count > 0 then 'no_rate'
            when is_followed_whole is not true then 'undefined'
            when net_revenue <= 0 then 'undefined'
            else 'ok'
        end as status,
        case
            when not is_followed then 'no payments delivered for the period'
            when unknown_count > 0 then 'no exchange rate for ' || unknown_count || ' of the lines'
            when is_followed_whole is not true then 'invoices are not followed for 90 days yet'
            when net_revenue <= 0 then 'net revenue of the last 90 days is zero or negative'
        end as status_reason
    from measured
    -- Before invoices are followed the company alone says that there is no data.
    where is_followed or subject_type = 'company'
),

final as (
    select
        judged.subject_type,
        judged.subject_id,
        month_period.period_id,
        'days_sales_outstanding' as kpi_code,
        case when judged.status in ('ok', 'undefined') then judged.open_amount end as numerator,
        case when judged.status in ('ok', 'undefined') then judged.net_revenue end as denominator,
        case
            when judged.status = 'ok'
                then cast({{ exact_divide('90 * judged.open_amount', 'judged.net_revenue', 8) }} as decimal(28, 8))
        end as value,
        cast(judged.sample_size as bigint) as sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        cast(null as string) as rate_type,
        judged.status,
        judged.status_reason
    from judged
    inner join month_period on judged.fiscal_month_start = month_period.fiscal_month_start
)

select * from final
