-- Grain: one row per subject, fiscal period begun and KPI whose interval is taken over dealers.
{{ by_fiscal_period('int_measure__period_state', in_steps='year') }}
with

event as (
    select * from {{ ref('int_measure__event') }}
),

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
    where
        {{ of_this_build('int_measure__period_state', 'period_id') }}
        and {{ of_this_step('period_start') }}
),

measure as (
    select * from {{ source('config', 'measure') }}
),

kpi as (
    select *
    from {{ source('config', 'kpi') }}
    where interval_method = 'cluster'
),

kpi_role as (
    select
        kpi_code,
        numerator_measure as measure_code,
        true as is_numerator,
        -- A mean is a share of the number of its events.
        kind = 'mean' as is_denominator
    from kpi

    union all

    select
        kpi_code,
        denominator_measure as measure_code,
        false as is_numerator,
        true as is_denominator
    from kpi
    where kind = 'ratio'
),

placed as (
    select
        kpi_role.kpi_code,
        measure.taken,
        event.fiscal_month_start,
        event.known_month_start,
        event.member_id,
        event.dealer_id,
        event.team,
        event.region,
        event.product_category,
        case when kpi_role.is_numerator then event.value else 0 end as numerator,
        case
            when kpi_role.is_numerator and kpi_role.is_denominator then 1
            when kpi_role.is_denominator then event.value
            else 0
        end as denominator
    from event
    inner join kpi_role on event.measure_code = kpi_role.measure_code
    inner join measure on event.measure_code = measure.measure_code
    where
        event.value is not null
        and event.fiscal_month_start in (select month_period.fiscal_month_start from month_period)
),

-- By month first: months are few beside events, and each is in three periods.
monthly as (
    {% for subject_type, subject_id in measure_subjects() if subject_type != 'dealer' %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            dealer_id,
            kpi_code,
            taken,
            fiscal_month_start,
            known_month_start,
            sum(numerator) as numerator,
            sum(denominator) as denominator
        from placed
        where {{ subject_id }} is not null
        group by
            {{ subject_id ~ ', ' if subject_type != 'company' }}dealer_id, kpi_code, taken, fiscal_month_start, known_month_start
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

clustered as (
    select
        monthly.subject_type,
        monthly.subject_id,
        month_period.period_id,
        monthly.kpi_code,
        -- Hundredths are enough for an interval, and their squares are exact: of wide numbers, as narrow ones overflow at 30 million.
        cast({{ hundredths('sum(monthly.numerator)') }} as decimal(28, 2)) as numerator,
        cast({{ hundredths('sum(monthly.denominator)') }} as decimal(28, 2)) as denominator
    from monthly
    inner join month_period
        on
            monthly.fiscal_month_start = month_period.fiscal_month_start
            and monthly.known_month_start < month_period.period_end
            and (monthly.taken = 'sum' or month_period.is_last_month)
    group by monthly.subject_type, monthly.subject_id, month_period.period_id, monthly.kpi_code, monthly.dealer_id
),

final as (
    select
        subject_type,
        subject_id,
        period_id,
        kpi_code,
        count(*) as cluster_count,
        cast(sum(cast(numerator * numerator as decimal(28, 4))) as decimal(28, 4)) as numerator_squares,
        cast(sum(cast(numerator * denominator as decimal(28, 4))) as decimal(28, 4)) as products,
        cast(sum(cast(denominator * denominator as decimal(28, 4))) as decimal(28, 4)) as denominator_squares
    from clustered
    group by subject_type, subject_id, period_id, kpi_code
)

select * from final
