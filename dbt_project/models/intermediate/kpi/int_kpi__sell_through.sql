-- Grain: one row per subject (dealer, region, company, category), fiscal period begun and KPI of what dealers sell on.
{{ by_fiscal_period('int_sales__period_state') }}
with

sell_out_day as (
    select * from {{ ref('int_sales__sell_out_day') }}
),

cell as (
    select * from {{ ref('int_sales__cell_month') }}
),

stock as (
    select * from {{ ref('fct_dealer_stock') }}
),

stock_period as (
    select * from {{ ref('int_sales__dealer_stock_period') }}
    where {{ of_this_build('int_sales__period_state', 'period_id') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
    where {{ of_this_build('int_sales__period_state', 'period_id') }}
),

sold as (
    select
        month_period.period_id,
        sell_out_day.dealer_id,
        sell_out_day.region,
        sell_out_day.product_category,
        sum(sell_out_day.unit_quantity) as units,
        sum(sell_out_day.no_quantity_count) as hole_count
    from sell_out_day
    inner join month_period on sell_out_day.fiscal_month_start = month_period.fiscal_month_start
    group by
        month_period.period_id,
        sell_out_day.dealer_id,
        sell_out_day.region,
        sell_out_day.product_category
),

-- A dealer who reports nothing sold on is not known to have sold nothing on: it is in neither side.
reporting as (
    select
        period_id,
        dealer_id
    from sold
    group by period_id, dealer_id
),

bought as (
    select
        month_period.period_id,
        cell.dealer_id,
        cell.region,
        cell.product_category,
        sum(cell.unit_quantity) as units,
        sum(cell.no_quantity_share) as hole_count
    from cell
    inner join month_period on cell.fiscal_month_start = month_period.fiscal_month_start
    inner join reporting
        on
            month_period.period_id = reporting.period_id
            and cell.dealer_id = reporting.dealer_id
    group by month_period.period_id, cell.dealer_id, cell.region, cell.product_category
),

counted as (
    select
        stock_period.period_id,
        stock_period.side,
        stock_period.as_of_date,
        stock.dealer_id,
        coalesce(stock.dealer_region, '{{ unassigned() }}') as region,
        coalesce(stock.product_category, '{{ unassigned() }}') as product_category,
        sum(stock.on_hand_quantity) as units
    from stock_period
    inner join stock
        on
            stock_period.dealer_id = stock.dealer_id
            and stock_period.as_of_date = stock.as_of_date
    group by
        stock_period.period_id,
        stock_period.side,
        stock_period.as_of_date,
        stock.dealer_id,
        stock.dealer_region,
        stock.product_category
),

first_sell_out as (
    select min(sale_date) as first_date from sell_out_day
),

closing_day as (
    select
        dealer_id,
        as_of_date
    from stock_period
    where side = 'closing'
    group by dealer_id, as_of_date
),

-- What was sold on in the 90 days that end with the count, once they are known whole.
sold_before as (
    select
        closing_day.as_of_date,
        sell_out_day.dealer_id,
        sell_out_day.region,
        sell_out_day.product_category,
        sum(sell_out_day.unit_quantity) as units,
        sum(sell_out_day.no_quantity_count) as hole_count
    from closing_day
    inner join sell_out_day
        on
            closing_day.dealer_id = sell_out_day.dealer_id
            and closing_day.as_of_date >= sell_out_day.sale_date
            and sell_out_day.sale_date > {{ dbt.dateadd('day', -90, 'closing_day.as_of_date') }}
    cross join first_sell_out
    where first_sell_out.first_date <= {{ dbt.dateadd('day', -89, 'closing_day.as_of_date') }}
    group by
        closing_day.as_of_date,
        sell_out_day.dealer_id,
        sell_out_day.region,
        sell_out_day.product_category
),

selling_before as (
    select
        dealer_id,
        as_of_date
    from sold_before
    group by dealer_id, as_of_date
),

opened as (
    select
        reporting.period_id,
        reporting.dealer_id
    from reporting
    inner join stock_period
        on
            reporting.period_id = stock_period.period_id
            and reporting.dealer_id = stock_period.dealer_id
    where stock_period.side = 'opening'
),

closed as (
    select
        reporting.period_id,
        reporting.dealer_id
    from reporting
    inner join stock_period
        on
            reporting.period_id = stock_period.period_id
            and reporting.dealer_id = stock_period.dealer_id
    where stock_period.side = 'closing'
),

{% set parts = [
    ('sell_through_pct', 'sold', 'reporting', ['numerator'], ''),
    ('sell_through_pct', 'bought', 'reporting', ['denominator'], ''),
    ('sell_through_stock_pct', 'sold', 'opened', ['numerator'], ''),
    ('sell_through_stock_pct', 'bought', 'opened', ['denominator'], ''),
    ('sell_through_stock_pct', 'counted', 'opened', ['denominator'], "counted.side = 'opening'"),
    ('sell_through_on_hand_pct', 'sold', 'closed', ['numerator', 'denominator'], ''),
    ('sell_through_on_hand_pct', 'counted', 'closed', ['denominator'], "counted.side = 'closing'"),
] %}
part as (
    {% for kpi_code, relation, whom, roles, condition in parts %}
        select
            '{{ kpi_code }}' as kpi_code,
            {{ relation }}.period_id,
            {{ relation }}.dealer_id,
            {{ relation }}.region,
            {{ relation }}.product_category,
            {{ relation ~ '.units' if 'numerator' in roles else '0' }} as numerator,
            {{ relation ~ '.units' if 'denominator' in roles else '0' }} as denominator,
            {{ '0' if relation == 'counted' else relation ~ '.hole_count' }} as hole_count
        from {{ relation }}
        inner join {{ whom }}
            on
                {{ relation }}.period_id = {{ whom }}.period_id
                and {{ relation }}.dealer_id = {{ whom }}.dealer_id
        {% if condition %}
            where {{ condition }}
        {% endif %}

        union all
    {% endfor %}

    select
        'stock_days' as kpi_code,
        counted.period_id,
        counted.dealer_id,
        counted.region,
        counted.product_category,
        90 * counted.units as numerator,
        0 as denominator,
        0 as hole_count
    from counted
    inner join selling_before
        on
            counted.dealer_id = selling_before.dealer_id
            and counted.as_of_date = selling_before.as_of_date
    where counted.side = 'closing'

    union all

    select
        'stock_days' as kpi_code,
        stock_period.period_id,
        sold_before.dealer_id,
        sold_before.region,
        sold_before.product_category,
        0 as numerator,
        sold_before.units as denominator,
        sold_before.hole_count
    from stock_period
    inner join sold_before
        on
            stock_period.dealer_id = sold_before.dealer_id
            and stock_period.as_of_date = sold_before.as_of_date
    where stock_period.side = 'closing'
),

summed as (
    {% for subject_type, subject_id in measure_subjects() if subject_type in ('dealer', 'region', 'company', 'category') %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            kpi_code,
            cast(sum(numerator) as decimal(28, 8)) as numerator,
            cast(sum(denominator) as decimal(28, 8)) as denominator,
            sum(hole_count) as hole_count,
            cast(count(distinct dealer_id) as bigint) as dealer_count
        from part
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}period_id, kpi_code
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        case when hole_count = 0 then numerator end as numerator,
        case when hole_count = 0 then denominator end as denominator,
        case
            when hole_count = 0 and denominator > 0
                then cast({{ exact_divide('numerator', 'denominator', 8) }} as decimal(28, 8))
        end as value,
        dealer_count as sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        cast(null as string) as rate_type,
        case when hole_count = 0 and denominator > 0 then 'ok' else 'undefined' end as status,
        case
            when hole_count <> 0 then 'units of some lines are not known'
            when denominator <= 0 and kpi_code = 'sell_through_pct' then 'nothing was bought in the period'
            when denominator <= 0 then 'units that it is taken of are zero or negative'
        end as status_reason
    from summed
)

select * from final
