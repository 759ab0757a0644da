-- Grain: one row per seller with sales and fiscal period since opportunities name invoices, and per period of the company.
with

sales_period as (
    select * from {{ ref('int_kpi__sales_period') }}
),

opportunity as (
    select *
    from {{ ref('fct_opportunity') }}
    where
        status = 'won'
        and transaction_id is not null
),

line as (
    select * from {{ ref('fct_sale_line') }}
),

credit as (
    select * from {{ ref('int_credit__sale_line') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

named as (
    select transaction_id
    from opportunity
    group by transaction_id
),

named_line as (
    select
        line.fiscal_month_start,
        line.dealer_id,
        coalesce(line.dealer_region, '{{ unassigned() }}') as region,
        line.net_amount_reporting
    from line
    inner join named on line.transaction_id = named.transaction_id
    where line.channel is distinct from 'sell_out'
),

named_credit as (
    select
        credit.fiscal_month_start,
        credit.member_id,
        credit.member_team as team,
        credit.credited_net_amount_reporting as net_amount_reporting
    from credit
    inner join named on credit.transaction_id = named.transaction_id
),

told_since as (
    select min(fiscal_month_start) as first_month_start
    from named_line
),

by_month as (
    {% for subject_type, subject_id in measure_subjects() if subject_type != 'category' %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            fiscal_month_start,
            count(*) as line_count,
            cast(coalesce(sum(net_amount_reporting), 0) as decimal(28, 8)) as net_amount_reporting
        from {{ 'named_credit' if subject_type in ('member', 'team') else 'named_line' }}
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}fiscal_month_start
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

by_period as (
    select
        by_month.subject_type,
        by_month.subject_id,
        period.period_id,
        sum(by_month.line_count) as line_count,
        cast(sum(by_month.net_amount_reporting) as decimal(28, 8)) as net_amount_reporting
    from by_month
    inner join period
        on
            by_month.fiscal_month_start >= period.period_start
            and by_month.fiscal_month_start < period.period_end
    group by by_month.subject_type, by_month.subject_id, period.period_id
),

judged as (
    select
        sales_period.subject_type,
        sales_period.subject_id,
        sales_period.period_id,
        sales_period.line_count,
        sales_period.net_amount_reporting,
        coalesce(by_period.net_amount_reporting, cast(0 as decimal(28, 8))) as named_amount,
        case
            when coalesce(told_since.first_month_start, {{ open_end() }}) >= period.period_end then 'no_data'
            when not sales_period.is_covered or sales_period.line_count = 0 then 'no_data'
            when sales_period.no_rate_line_count > 0 then 'no_rate'
            when sales_period.net_amount_reporting <= 0 then 'undefined'
            else 'ok'
        end as status,
        case
            when coalesce(told_since.first_month_start, {{ open_end() }}) >= period.period_end
                then 'no opportunity names an invoice of the period or of one before'
            when not sales_period.is_covered then 'no sales delivered for the period'
            when sales_period.line_count = 0 then 'no sales in the period'
            when sales_period.no_rate_line_count > 0
                then
                    'no exchange rate for ' || sales_period.no_rate_line_count || ' of '
                    || sales_period.line_count || ' lines'
            when sales_period.net_amount_reporting <= 0 then 'net revenue is zero or negative'
        end as status_reason
    from sales_period
    inner join period on sales_period.period_id = period.period_id
    cross join told_since
    left join by_period
        on
            sales_period.subject_type = by_period.subject_type
            and sales_period.subject_id = by_period.subject_id
            and sales_period.period_id = by_period.period_id
),

final as (
    select
        judged.subject_type,
        judged.subject_id,
        judged.period_id,
        'revenue_with_opportunity_pct' as kpi_code,
        case when judged.status = 'ok' then judged.named_amount end as numerator,
        case when judged.status = 'ok' then judged.net_amount_reporting end as denominator,
        case
            when judged.status = 'ok'
                then cast({{ exact_divide('judged.named_amount', 'judged.net_amount_reporting', 8) }} as decimal(28, 8))
        end as value,
        cast(judged.line_count as bigint) as sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        company.fx_rate_type as rate_type,
        judged.status,
        judged.status_reason
    from judged
    cross join company
    where judged.status <> 'no_data' or judged.subject_type = 'company'
)

select * from final
