-- Grain: one row per subject with sales to state, of the quarter under way and the one before it, and day as far as received.
{%- set counts = ['line_count', 'no_rate_line_count', 'no_plan_rate_line_count'] %}
with

period as (
    select * from {{ ref('dim_period') }}
),

day as (
    select * from {{ ref('int_calendar__day') }}
),

subject_period as (
    select * from {{ ref('mart_kpi__subject_period') }}
),

target_period as (
    select *
    from {{ ref('int_kpi__target_period') }}
    where metric = 'net_revenue'
),

sale_line as (
    select *
    from {{ ref('fct_sale_line') }}
    where channel is distinct from 'sell_out'
),

credit_line as (
    select * from {{ ref('int_credit__sale_line') }}
),

-- After the latest receipt of sales nobody knows what was sold: days without would only lower the pace.
received as (
    select least({{ as_of_date() }}, {{ received_until() }}, max(_received_date)) as received_until
    from sale_line
),

ranked_quarter as (
    select
        period_id,
        period_start,
        period_end,
        last_year_period_id,
        row_number() over (order by period_start desc nulls last) as quarter_no
    from period
    where
        period_type = 'quarter'
        and period_start < {{ built_until() }}
        and period_start <= {{ as_of_date() }}
),

-- The two quarters shown, and those of last year that give the season.
quarter as (
    select
        ranked_quarter.period_id,
        ranked_quarter.period_start,
        ranked_quarter.period_end,
        ranked_quarter.last_year_period_id,
        true as is_shown
    from ranked_quarter
    where ranked_quarter.quarter_no <= 2

    union all

    select
        period.period_id,
        period.period_start,
        period.period_end,
        period.last_year_period_id,
        false as is_shown
    from ranked_quarter
    inner join period on ranked_quarter.last_year_period_id = period.period_id
    where ranked_quarter.quarter_no <= 2
),

numbered_day as (
    select
        quarter.period_id,
        quarter.last_year_period_id,
        quarter.period_start,
        quarter.period_end,
        quarter.is_shown,
        day.date_day,
        day.is_working_day,
        day.working_day_no - first_value(day.working_day_no - case when day.is_working_day then 1 else 0 end) over (
            partition by quarter.period_id order by day.date_day nulls last
        ) as working_day_no,
        count(case when day.is_working_day then 1 end) over (partition by quarter.period_id) as working_day_count
    from quarter
    inner join day
        on
            quarter.period_start <= day.date_day
            and quarter.period_end > day.date_day
),

line_day as (
    select
        numbered_day.period_id,
        numbered_day.is_shown,
        sale_line.sale_date,
        sale_line.dealer_id,
        coalesce(sale_line.dealer_region, '{{ unassigned() }}') as region,
        count(*) as line_count,
        count(*) - count(sale_line.net_amount_reporting) as no_rate_line_count,
        count(*) - count(sale_line.net_amount_plan) as no_plan_rate_line_count,
        cast(coalesce(sum(sale_line.net_amount_reporting), 0) as decimal(28, 8)) as net_amount,
        cast(coalesce(sum(sale_line.net_amount_plan), 0) as decimal(28, 8)) as plan_amount
    from sale_line
    inner join numbered_day on sale_line.sale_date = numbered_day.date_day
    group by
        numbered_day.period_id,
        numbered_day.is_shown,
        sale_line.sale_date,
        sale_line.dealer_id,
        coalesce(sale_line.dealer_region, '{{ unassigned() }}')
),

credit_day as (
    select
        numbered_day.period_id,
        credit_line.sale_date,
        credit_line.member_id,
        credit_line.member_team,
        count(*) as line_count,
        count(*) - count(credit_line.credited_net_amount_reporting) as no_rate_line_count,
        count(*) - count(credit_line.credited_net_amount_plan) as no_plan_rate_line_count,
        cast(coalesce(sum(credit_line.credited_net_amount_reporting), 0) as decimal(28, 8)) as net_amount,
        cast(coalesce(sum(credit_line.credited_net_amount_plan), 0) as decimal(28, 8)) as plan_amount
    from credit_line
    inner join numbered_day on credit_line.sale_date = numbered_day.date_day
    where numbered_day.is_shown
    group by numbered_day.period_id, credit_line.sale_date, credit_line.member_id, credit_line.member_team
),

sold as (
    {% for subject_type, subject_id, relation in [
        ('dealer', 'dealer_id', 'line_day'),
        ('region', 'region', 'line_day'),
        ('company', "'company'", 'line_day'),
        ('member', 'member_id', 'credit_day'),
        ('team', 'member_team', 'credit_day'),
    ] %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            period_id,
            sale_date,
            {% for name in counts %}
                sum({{ name }}) as {{ name }},
            {% endfor %}
            sum(net_amount) as net_amount,
            sum(plan_amount) as plan_amount
        from {{ relation }}
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}period_id, sale_date
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

-- Of last year's quarter: how much of the company's net revenue had come by each of its working days.
season_day as (
    select
        numbered_day.period_id,
        numbered_day.working_day_no,
        numbered_day.working_day_count,
        coalesce(sum(sold.net_amount), 0) as net_amount
    from numbered_day
    left join sold
        on
            sold.subject_type = 'company'
            and numbered_day.period_id = sold.period_id
            and numbered_day.date_day = sold.sale_date
    where not numbered_day.is_shown
    group by numbered_day.period_id, numbered_day.working_day_no, numbered_day.working_day_count
),

season as (
    select
        period_id,
        working_day_no,
        working_day_count,
        cast(sum(net_amount) over (
            partition by period_id order by working_day_no nulls last
        ) as decimal(28, 8)) as net_amount_to_date,
        cast(sum(net_amount) over (partition by period_id) as decimal(28, 8)) as net_amount_total
    from season_day
),

-- A quarter of last year that sales cover only in part has no season.
season_known as (
    select subject_period.period_id
    from subject_period
    where
        subject_period.subject_type = 'company'
        and subject_period.kpi_code = 'net_revenue'
        and subject_period.status = 'ok'
        and subject_period.status_reason is null
        and subject_period.is_complete
),

-- What is the same for all subjects is reckoned once a day, not once a day and subject.
expected_day as (
    select
        numbered_day.period_id,
        numbered_day.period_start,
        numbered_day.period_end,
        numbered_day.date_day,
        numbered_day.is_working_day,
        numbered_day.working_day_no,
        numbered_day.working_day_count,
        {{ exact_divide('numbered_day.working_day_no', 'numbered_day.working_day_count', 8) }} as working_share,
        case when season_known.period_id is not null and season.net_amount_total > 0 then {{ exact_divide(
            'season.net_amount_to_date', 'season.net_amount_total', 8
        ) }} end as season_share
    from numbered_day
    left join season
        on
            numbered_day.last_year_period_id = season.period_id
            and season.working_day_no = {{ exact_divide(
                'numbered_day.working_day_no * season.working_day_count', 'numbered_day.working_day_count', 0
            ) }}
    left join season_known on numbered_day.last_year_period_id = season_known.period_id
    cross join received
    where
        numbered_day.is_shown
        and numbered_day.date_day <= received.received_until
),

shown as (
    select
        subject_period.subject_type,
        subject_period.subject_id,
        subject_period.subject_name,
        expected_day.period_id,
        expected_day.period_start,
        expected_day.period_end,
        expected_day.date_day,
        expected_day.is_working_day,
        expected_day.working_day_no,
        expected_day.working_day_count,
        subject_period.target_value,
        target_period.covers_period,
        target_period.cover_note,
        {% for name in counts %}
            coalesce(sold.{{ name }}, 0) as {{ name }},
        {% endfor %}
        coalesce(sold.net_amount, 0) as net_amount,
        coalesce(sold.plan_amount, 0) as plan_amount,
        expected_day.working_share,
        expected_day.season_share
    from subject_period
    inner join expected_day on subject_period.period_id = expected_day.period_id
    left join target_period
        on
            subject_period.subject_type = target_period.subject_type
            and subject_period.subject_id = target_period.subject_id
            and subject_period.period_id = target_period.period_id
    left join sold
        on
            subject_period.subject_type = sold.subject_type
            and subject_period.subject_id = sold.subject_id
            and expected_day.period_id = sold.period_id
            and expected_day.date_day = sold.sale_date
    where
        subject_period.kpi_code = 'net_revenue'
        and subject_period.subject_type <> 'category'
        and subject_period.status <> 'no_data'
),

-- Sales of the whole quarter are set against a target of the whole quarter alone.
summed as (
    select
        subject_type,
        subject_id,
        subject_name,
        period_id,
        period_start,
        period_end,
        date_day,
        is_working_day,
        working_day_no,
        working_day_count,
        target_value,
        case when covers_period then target_value end as whole_target_value,
        case when target_value is not null then cover_note end as cover_note,
        working_share,
        season_share,
        case when no_rate_line_count = 0 then net_amount end as net_amount,
        {% for name in ['net_amount', 'plan_amount'] %}
            cast(sum({{ name }}) over (
                partition by subject_type, subject_id, period_id order by date_day nulls last
            ) as decimal(28, 8)) as {{ name }}_to_date,
        {% endfor %}
        {% for name in counts %}
            cast(sum({{ name }}) over (
                partition by subject_type, subject_id, period_id order by date_day nulls last
            ) as bigint) as {{ name }}_to_date,
        {% endfor %}
        date_day = max(date_day) over (partition by period_id) as is_latest
    from shown
),

-- A sum with a hole is no sum: from the first line without a rate on, the quarter has no value.
known as (
    select
        *,
        case when no_rate_line_count_to_date = 0 then net_amount_to_date end as net_revenue_to_date,
        case when no_plan_rate_line_count_to_date = 0 then plan_amount_to_date end as achieved_to_date
    from summed
),

final as (
    select
        subject_type,
        subject_id,
        subject_name,
        period_id,
        period_start,
        period_end,
        date_day,
        is_latest,
        is_working_day,
        cast(working_day_no as bigint) as working_day_no,
        cast(working_day_count as bigint) as working_day_count,
        line_count_to_date,
        no_rate_line_count_to_date,
        no_plan_rate_line_count_to_date,
        cast(net_amount as decimal(28, 8)) as net_revenue,
        net_revenue_to_date,
        achieved_to_date,
        target_value,
        case
            when whole_target_value > 0
                then cast({{ exact_divide('achieved_to_date', 'whole_target_value', 8) }} as decimal(28, 8))
        end as attainment,
        cast(working_share as decimal(28, 8)) as expected_pct_by_working_days,
        cast(season_share as decimal(28, 8)) as expected_pct_by_season,
        {{ multiply('whole_target_value', 'coalesce(season_share, working_share)') }} as expected_to_date,
        case
            when whole_target_value > 0 and coalesce(season_share, working_share) > 0
                then cast({{ exact_divide(
                    'achieved_to_date', multiply('whole_target_value', 'coalesce(season_share, working_share)'), 8
                ) }} as decimal(28, 8))
        end as pace,
        cast({{ exact_divide(
            'achieved_to_date * working_day_count', 'working_day_no', 8
        ) }} as decimal(28, 8)) as forecast_by_working_days,
        case
            when season_share > 0 then cast({{ exact_divide('achieved_to_date', 'season_share', 8) }} as decimal(28, 8))
        end as forecast_by_season,
        case when no_rate_line_count_to_date + no_plan_rate_line_count_to_date > 0 then 'no_rate' else 'ok' end as status,
        case
            when no_plan_rate_line_count_to_date > 0
                then 'no plan rate for ' || no_plan_rate_line_count_to_date || ' of ' || line_count_to_date || ' lines'
            when no_rate_line_count_to_date > 0
                then 'no exchange rate for ' || no_rate_line_count_to_date || ' of ' || line_count_to_date || ' lines'
            else cover_note
        end as status_reason
    from known
)

select * from final
