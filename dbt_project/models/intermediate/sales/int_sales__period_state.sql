-- Grain: one row per fiscal period begun.
{{ remembered('period_id') }}
with

dirty_month as (
    select * from {{ source('meta', 'dirty_month') }}
),

dealer_start as (
    select * from {{ ref('int_sales__dealer_start') }}
),

first_sell_out as (
    select min(sale_date) as first_date from {{ ref('int_sales__sell_out_day') }}
),

stock as (
    select * from {{ ref('fct_dealer_stock') }}
),

stock_period as (
    select * from {{ ref('int_sales__dealer_stock_period') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

-- Who counts as new in the period: for a year from the month of the start.
started as (
    select
        period.period_id,
        {{ fingerprint(['dealer_start.dealer_id', 'dealer_start.fiscal_month_start']) }} as fingerprint
    from period
    inner join dealer_start
        on
            period.period_end > dealer_start.fiscal_month_start
            and dealer_start.fiscal_month_start > {{ dbt.dateadd('month', -12, 'period.period_start') }}
    group by period.period_id
),

-- Which count stands for a period under way moves with the day of the build: the period changes when another one does.
stocked as (
    select
        stock_period.period_id,
        {{ fingerprint([
            'stock_period.side', 'stock_period.as_of_date', 'stock.dealer_id', 'stock.dealer_region', 'stock.product_id',
            'stock.product_category', 'stock.on_hand_quantity',
        ]) }} as fingerprint
    from stock_period
    inner join stock
        on
            stock_period.dealer_id = stock.dealer_id
            and stock_period.as_of_date = stock.as_of_date
    group by stock_period.period_id
),

-- A period looks back on what was sold on in the 90 days before a count that is at most 45 days older than itself.
dirty_period as (
    select period.period_id
    from period
    inner join dirty_month
        on
            period.period_end > dirty_month.month_start
            and dirty_month.month_start >= {{ dbt.dateadd('month', -6, 'period.period_start') }}
    group by period.period_id
),

stated as (
    select
        period.period_id,
        coalesce(cast(first_sell_out.first_date as string), '') || ' ' || coalesce(started.fingerprint, '') || ' '
        || coalesce(stocked.fingerprint, '') as fingerprint
    from period
    cross join first_sell_out
    left join started on period.period_id = started.period_id
    left join stocked on period.period_id = stocked.period_id
),

compared as (
    {{ changes_since_before('period_id') }}
),

final as (
    select
        compared.period_id,
        compared.fingerprint,
        compared.is_changed or dirty_period.period_id is not null as is_changed
    from compared
    left join dirty_period on compared.period_id = dirty_period.period_id
)

select * from final
