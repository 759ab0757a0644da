-- Grain: one row per fiscal period begun, dealer, and side (opening or closing) with a count of stock.
with

stock as (
    select * from {{ ref('fct_dealer_stock') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

counted as (
    select
        dealer_id,
        as_of_date
    from stock
    where as_of_date <= {{ as_of_date() }}
    group by dealer_id, as_of_date
),

moment as (
    select
        period_id,
        'opening' as side,
        period_start as moment_date
    from period

    union all

    -- A period under way is closed as of the build, not at an end of which there is no count yet.
    select
        period_id,
        'closing' as side,
        cast(least(period_end, {{ dbt.dateadd('day', 1, as_of_date()) }}) as date) as moment_date
    from period
),

-- The last count before the moment stands for it; one of more than 45 days before says nothing of it.
final as (
    select
        moment.period_id,
        counted.dealer_id,
        moment.side,
        max(counted.as_of_date) as as_of_date
    from moment
    inner join counted
        on
            moment.moment_date > counted.as_of_date
            and counted.as_of_date >= {{ dbt.dateadd('day', -45, 'moment.moment_date') }}
    group by moment.period_id, counted.dealer_id, moment.side
)

select * from final
