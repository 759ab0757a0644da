-- Two ways to the same figure: what is open on the last day of a month, day by day and by the KPIs of that month.
with

month_end as (
    select
        fiscal_month_start,
        balance_date
    from {{ ref('int_pipeline__month_end') }}
    where balance_date > {{ dbt.dateadd('day', -400, as_of_date()) }}
    group by fiscal_month_start, balance_date
),

period as (
    select * from {{ ref('dim_period') }}
    where period_type = 'month'
),

stated_day as (
    select
        month_end.fiscal_month_start,
        pipeline_day.member_id,
        pipeline_day.unknown_amount_count,
        pipeline_day.unknown_amount_count + pipeline_day.unknown_probability_count as unknown_weighted_count,
        pipeline_day.open_amount,
        pipeline_day.weighted_amount
    from {{ ref('mart_kpi__pipeline_day') }} as pipeline_day
    inner join month_end on pipeline_day.date_day = month_end.balance_date
),

by_day as (
    {% for kpi_code, amount, unknown_count in [
        ('open_pipeline_amount', 'open_amount', 'unknown_amount_count'),
        ('weighted_pipeline_amount', 'weighted_amount', 'unknown_weighted_count'),
    ] %}
        {% for subject_type, subject_id in [('company', "'company'"), ('member', 'member_id')] %}
            select
                '{{ subject_type }}' as subject_type,
                {{ subject_id }} as subject_id,
                fiscal_month_start,
                '{{ kpi_code }}' as kpi_code,
                sum({{ amount }}) as amount,
                sum({{ unknown_count }}) as unknown_count
            from stated_day
            group by {{ subject_id ~ ', ' if subject_type == 'member' }}fiscal_month_start
            {% if not loop.last %}
                union all
            {% endif %}
        {% endfor %}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

by_month as (
    select
        kpi.subject_type,
        kpi.subject_id,
        month_end.fiscal_month_start,
        kpi.kpi_code,
        kpi.value,
        kpi.status
    from {{ ref('int_kpi__value') }} as kpi
    inner join period on kpi.period_id = period.period_id
    inner join month_end on period.period_start = month_end.fiscal_month_start
    where
        kpi.kpi_code in ('open_pipeline_amount', 'weighted_pipeline_amount')
        and kpi.subject_type in ('company', 'member')
        and kpi.status <> 'no_data'
)

select
    coalesce(by_day.subject_type, by_month.subject_type) as subject_type,
    coalesce(by_day.subject_id, by_month.subject_id) as subject_id,
    coalesce(by_day.fiscal_month_start, by_month.fiscal_month_start) as fiscal_month_start,
    coalesce(by_day.kpi_code, by_month.kpi_code) as kpi_code,
    by_day.amount,
    by_day.unknown_count,
    by_month.value
from by_day
full join by_month
    on
        by_day.subject_type = by_month.subject_type
        and by_day.subject_id = by_month.subject_id
        and by_day.fiscal_month_start = by_month.fiscal_month_start
        and by_day.kpi_code = by_month.kpi_code
where
    by_month.status is null
    or case when by_day.unknown_count = 0 then by_day.amount end is distinct from by_month.value
