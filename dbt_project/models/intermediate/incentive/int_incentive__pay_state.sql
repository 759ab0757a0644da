-- Grain: one row per fiscal month.
with

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

dirty_pay_month as (
    select * from {{ source('meta', 'dirty_pay_month') }}
),

kpi_state as (
    select *
    from {{ ref('int_incentive__kpi_state') }}
    where is_changed
),

period as (
    select * from {{ ref('dim_period') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

yearly as (
    select plan_id
    from plan
    where period_type = 'year'

    union all

    select plan_id
    from component
    where accumulate = 'year_to_date'
),

span as (
    select case when count(*) > 0 then 'year' else 'quarter' end as period_type
    from yearly
),

dirty as (
    select month_start from dirty_pay_month

    union all

    select period.period_start as month_start
    from kpi_state
    inner join period on kpi_state.period_id = period.period_id
),

-- Bands are filled in the order of the sales, over the period or the fiscal year; and later periods take back, release and
-- reckon anew what earlier ones earned: everything from the first such span on.
first_dirty as (
    select min(case when span.period_type = 'year' then fiscal_month.year_start else fiscal_month.quarter_start end) as month_start
    from dirty
    inner join fiscal_month on dirty.month_start = fiscal_month.month_start
    cross join span
),

final as (
    select
        fiscal_month.month_start as fiscal_month_start,
        coalesce(fiscal_month.month_start >= first_dirty.month_start, false) as is_changed
    from fiscal_month
    cross join first_dirty
)

select * from final
