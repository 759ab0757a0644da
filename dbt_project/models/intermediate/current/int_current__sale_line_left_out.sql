-- Grain: one row per accepted row of a sale line dated in a fiscal month built that is not the one that holds.
{{ by_fiscal_month() }}

with

dirty_month as (
    select * from {{ source('meta', 'dirty_month') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

version as (
    select
        version.*,
        calendar.fiscal_month_start
    from {{ ref('stg_sales') }} as version
    inner join calendar on version.sale_date = calendar.date_day
    inner join dirty_month on calendar.fiscal_month_start = dirty_month.month_start
    where version.sale_date < {{ built_until() }}
),

fact as (
    select * from {{ ref('fct_sale_line') }}
    {% if is_incremental() %}
        where fiscal_month_start in (select month_start from dirty_month)
    {% endif %}
),

fact_count as (
    select
        _delivery_id,
        sale_date,
        count(*) as row_count
    from fact
    group by _delivery_id, sale_date
),

version_count as (
    select
        _delivery_id,
        sale_date,
        count(*) as row_count
    from version
    group by _delivery_id, sale_date
),

-- Most deliveries hold as they came: rows are compared one by one only where the numbers of a day differ.
differing as (
    select
        version_count._delivery_id,
        version_count.sale_date
    from version_count
    left join fact_count
        on
            version_count._delivery_id = fact_count._delivery_id
            and version_count.sale_date = fact_count.sale_date
    where version_count.row_count > coalesce(fact_count.row_count, 0)
),

held as (
    select
        fact._source,
        fact._source_file,
        fact._delivery_id,
        fact._row_number,
        fact._row_part
    from fact
    inner join differing
        on
            fact._delivery_id = differing._delivery_id
            and fact.sale_date = differing.sale_date
),

final as (
    select
        version.transaction_id,
        version.line_no,
        version.channel,
        version.dealer_id,
        version.sale_date,
        version.fiscal_month_start,
        version.net_amount,
        version.currency_code,
        case
            when version._is_deleted then 'deletion'
            when version._is_repeat then 'repeat'
            when version._gone_date is not null then 'gone'
            else 'superseded'
        end as left_out_reason,
        version._source,
        version._source_file,
        version._delivery_id,
        version._row_number,
        version._row_part,
        version._received_date
    from version
    inner join differing
        on
            version._delivery_id = differing._delivery_id
            and version.sale_date = differing.sale_date
    left join held
        on
            version._source = held._source
            and version._source_file = held._source_file
            and version._delivery_id = held._delivery_id
            and version._row_number = held._row_number
            and version._row_part = held._row_part
    where held._row_number is null
)

select * from final
