-- Grain: one row per target.
with

target as (
    select * from {{ ref('fct_target') }}
),

kpi as (
    select * from {{ source('config', 'kpi') }}
),

measure as (
    select * from {{ source('config', 'measure') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

subject as (
    select * from {{ ref('dim_subject') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

-- Sums are measured over the days of the window: sales from lines, other events from months. All else is known by period.
placed as (
    select
        target.target_id,
        target.subject_type,
        target.subject_id,
        target.metric,
        target.product_category,
        target.valid_from,
        target.valid_to,
        target.target_value,
        target.unit,
        target.objective_id,
        target.weight_pct,
        kpi.kpi_code,
        kpi.kind,
        kpi.model,
        kpi.unit as kpi_unit,
        kpi.direction,
        kpi.factor,
        kpi.audience,
        kpi.numerator_measure as measure_code,
        measure.unknown_status,
        coalesce(kpi.unit = 'currency', false) as is_amount,
        subject.subject_id is not null as is_subject_known,
        period.period_id,
        first_month.month_start is not null and last_month.month_end is not null as is_whole_months,
        case
            {% for kpi_code, column, unknown_count in sales_sums() %}
                when kpi.kpi_code = '{{ kpi_code }}' then 'sales'
            {% endfor %}
            when kpi.kind = 'sum' and measure.taken = 'sum' then 'events'
            when kpi.kpi_code is not null then 'period'
        end as basis
    from target
    left join kpi on target.metric = kpi.kpi_code
    left join measure on kpi.numerator_measure = measure.measure_code
    left join subject
        on
            target.subject_type = subject.subject_type
            and target.subject_id = subject.subject_id
    left join period
        on
            target.valid_from = period.period_start
            and target.valid_to = period.period_end
    left join fiscal_month as first_month on target.valid_from = first_month.month_start
    left join fiscal_month as last_month on target.valid_to = last_month.month_end
),

final as (
    select
        placed.target_id,
        placed.subject_type,
        placed.subject_id,
        placed.metric,
        placed.product_category,
        placed.valid_from,
        placed.valid_to,
        placed.target_value,
        placed.unit,
        placed.objective_id,
        placed.weight_pct,
        placed.direction,
        placed.factor,
        placed.measure_code,
        placed.unknown_status,
        placed.is_amount,
        placed.is_subject_known,
        placed.period_id,
        placed.basis,
        coalesce(placed.basis in ('sales', 'events'), false) as is_additive,
        case
            when placed.kpi_code is null or not placed.is_amount then cast(null as decimal(28, 8))
            when placed.unit = company.reporting_currency_code then cast(placed.target_value as decimal(28, 8))
            else {{ multiply('placed.target_value', 'day_rate.rate') }}
        end as target_value_reporting,
        placed.audience,
        case
            when placed.kpi_code is null then placed.metric || ' is no KPI of config/kpis.yml'
            when placed.model in ('{{ target_models() | join("', '") }}')
                then placed.metric || ' is itself measured by targets'
            when not placed.is_subject_known
                then 'there is no ' || placed.subject_type || ' ' || placed.subject_id || ' in the masters'
            when placed.is_amount and placed.unit in ('percent', 'count')
                then placed.metric || ' is an amount, and its target needs a currency'
            when placed.kpi_unit = 'share' and placed.unit <> 'percent'
                then placed.metric || ' is a share, and its target needs the unit percent'
            when not placed.is_amount and placed.kpi_unit <> 'share' and placed.unit <> 'count'
                then placed.metric || ' is neither amount nor share, and its target needs the unit count'
            when placed.product_category is not null and placed.basis <> 'sales'
                then placed.metric || ' of one category is not measured'
            when placed.basis = 'events' and not placed.is_whole_months
                then placed.metric || ' is measured by fiscal months, and the window cuts one'
            when placed.basis = 'period' and placed.period_id is null
                then placed.metric || ' is measured by fiscal period, and the window is none'
        end as refused_reason
    from placed
    cross join company
    left join day_rate
        on
            placed.unit = day_rate.currency_code
            and placed.valid_from = day_rate.date_day
            and company.plan_fx_rate_type = day_rate.rate_type
)

select * from final
