-- Grain: one row per subject (member, team, region, company, category), fiscal quarter or year begun and KPI of loyalty.
with

subject_dealer as (
    select * from {{ ref('int_sales__subject_dealer_period') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_start < {{ built_until() }} and period_type in ('quarter', 'year')
),

coverage as (
    select * from {{ ref('int_kpi__sales_coverage') }}
),

quarter_numbered as (
    select
        period_id,
        period_end,
        row_number() over (order by period_start nulls last) as quarter_no
    from period
    where period_type = 'quarter'
),

-- The four quarters that end with the period; a year ends with its last.
four_quarters as (
    select
        period.period_id,
        quarter_numbered.period_id as quarter_id
    from period
    inner join quarter_numbered as last_quarter on period.period_end = last_quarter.period_end
    inner join quarter_numbered
        on
            last_quarter.quarter_no >= quarter_numbered.quarter_no
            and last_quarter.quarter_no - 4 < quarter_numbered.quarter_no
),

known as (
    select
        four_quarters.period_id,
        count(*) = 4 and bool_and(coverage.is_covered_whole) as is_known
    from four_quarters
    inner join coverage on four_quarters.quarter_id = coverage.period_id
    group by four_quarters.period_id
),

bought as (
    select
        subject_dealer.subject_type,
        subject_dealer.subject_id,
        four_quarters.period_id,
        subject_dealer.dealer_id,
        count(*) filter (where subject_dealer.net_amount > 0) as quarter_count,
        bool_or(subject_dealer.has_no_rate) as has_no_rate
    from four_quarters
    inner join subject_dealer on four_quarters.quarter_id = subject_dealer.period_id
    group by
        subject_dealer.subject_type,
        subject_dealer.subject_id,
        four_quarters.period_id,
        subject_dealer.dealer_id
),

loyal as (
    select
        bought.subject_type,
        bought.subject_id,
        bought.period_id,
        cast(count(*) filter (where bought.quarter_count > 0) as bigint) as any_count,
        count(*) filter (where bought.quarter_count = 4) as each_count,
        bool_or(bought.has_no_rate) as has_no_rate
    from bought
    group by bought.subject_type, bought.subject_id, bought.period_id
),

judged as (
    select
        loyal.subject_type,
        loyal.subject_id,
        loyal.period_id,
        loyal.any_count,
        cast(loyal.each_count as decimal(28, 8)) as numerator,
        cast(loyal.any_count as decimal(28, 8)) as denominator,
        case
            when not coalesce(known.is_known, false) then 'undefined'
            when loyal.has_no_rate then 'no_rate'
            when loyal.any_count = 0 then 'no_data'
            else 'ok'
        end as status,
        case
            when not coalesce(known.is_known, false) then 'the last four quarters are not known whole'
            when loyal.has_no_rate then 'no exchange rate for sales of the four quarters'
            when loyal.any_count = 0 then 'no dealer active in the last four quarters'
        end as status_reason
    from loyal
    left join known on loyal.period_id = known.period_id
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        'loyal_dealer_pct' as kpi_code,
        case when status = 'ok' then numerator end as numerator,
        case when status = 'ok' then denominator end as denominator,
        case
            when status = 'ok' then cast({{ exact_divide('numerator', 'denominator', 8) }} as decimal(28, 8))
        end as value,
        any_count as sample_size,
        {% for side in ['low', 'high'] %}
            case when status = 'ok' then {{ wilson_bound('numerator', 'denominator', side) }} end as ci_{{ side }},
        {% endfor %}
        case when status = 'ok' then 'wilson' end as ci_method,
        cast(null as string) as rate_type,
        status,
        status_reason
    from judged
)

select * from final
