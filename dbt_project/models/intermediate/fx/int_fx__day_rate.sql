-- Grain: one row per rate type, currency and day on which a rate to the reporting currency is in force.
with

rate as (
    select
        *,
        {{ winner_rank(['rate_date', 'from_currency_code', 'to_currency_code', 'rate_type']) }} as winner_rank
    from {{ ref('stg_fx_rates') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

-- A rate holds from its date until the pair's next one.
rate_window as (
    select
        rate.rate_type,
        rate.from_currency_code as currency_code,
        rate.rate,
        rate.rate_date as valid_from,
        coalesce(
            lead(rate.rate_date) over (
                partition by rate.rate_type, rate.from_currency_code, rate.to_currency_code
                order by rate.rate_date nulls last
            ),
            {{ open_end() }}
        ) as valid_to
    from rate
    inner join company on rate.to_currency_code = company.reporting_currency_code
    where
        rate.winner_rank = 1
        and rate.from_currency_code <> rate.to_currency_code
),

converted as (
    select
        rate_window.rate_type,
        rate_window.currency_code,
        calendar.date_day,
        rate_window.rate
    from calendar
    inner join rate_window
        on
            calendar.date_day >= rate_window.valid_from
            and calendar.date_day < rate_window.valid_to
),

rate_type_in_use as (
    select fx_rate_type as rate_type from company
    union
    select plan_fx_rate_type as rate_type from company
),

-- The reporting currency is worth itself on every day, whatever a file says.
itself as (
    select
        rate_type_in_use.rate_type,
        company.reporting_currency_code as currency_code,
        calendar.date_day,
        cast(1 as decimal(18, 10)) as rate
    from calendar
    cross join company
    cross join rate_type_in_use
),

final as (
    select
        rate_type,
        currency_code,
        date_day,
        rate
    from converted
    union all
    select
        rate_type,
        currency_code,
        date_day,
        rate
    from itself
)

select * from final
