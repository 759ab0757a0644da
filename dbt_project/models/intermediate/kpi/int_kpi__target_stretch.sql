-- Grain: one row per subject with targets (and the company), fiscal period begun and KPI of stretch.
with

target_period as (
    select *
    from {{ ref('int_kpi__target_period') }}
    where metric = 'net_revenue'
),

sales_period as (
    select * from {{ ref('int_kpi__sales_period') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

-- Who has targets, and the company, which is told that it has none.
stated as (
    select
        sales_period.subject_type,
        sales_period.subject_id,
        sales_period.period_id,
        sales_period.previous_period_id,
        sales_period.last_year_period_id,
        target_period.period_id is not null as has_target,
        coalesce(target_period.covers_period, false) as covers_period,
        target_period.target_value,
        target_period.unmeasured_status,
        target_period.unmeasured_reason
    from sales_period
    left join target_period
        on
            sales_period.subject_type = target_period.subject_type
            and sales_period.subject_id = target_period.subject_id
            and sales_period.period_id = target_period.period_id
    where
        target_period.period_id is not null
        or sales_period.subject_type = 'company'
),

{% for kpi_code, base_period, base_name in [
    ('target_stretch_pct', 'previous_period_id', 'the previous period'),
    ('target_stretch_last_year_pct', 'last_year_period_id', 'the same period last year'),
] %}
    {{ kpi_code }} as (
        select
            stated.subject_type,
            stated.subject_id,
            stated.period_id,
            '{{ kpi_code }}' as kpi_code,
            stated.target_value,
            base.net_amount_plan as base_amount,
            coalesce(base.line_count, 0) as sample_size,
            case
                when not stated.has_target then 'no_data'
                when stated.target_value is null then coalesce(stated.unmeasured_status, 'undefined')
                when not stated.covers_period then 'undefined'
                when base.period_id is null then 'no_data'
                when not base.is_covered then 'no_data'
                when not base.is_covered_whole then 'undefined'
                when base.no_plan_rate_line_count > 0 then 'no_rate'
                when base.net_amount_plan <= 0 then 'undefined'
                else 'ok'
            end as status,
            case
                when not stated.has_target then 'no target in the period'
                when stated.target_value is null then coalesce(stated.unmeasured_reason, 'the target is not known')
                when not stated.covers_period then 'targets cover only a part of the period'
                when base.period_id is null then 'nothing to compare with in {{ base_name }}'
                when not base.is_covered then 'no sales delivered for {{ base_name }}'
                when not base.is_covered_whole then 'sales cover only a part of {{ base_name }}'
                when base.no_plan_rate_line_count > 0
                    then 'no plan rate for ' || base.no_plan_rate_line_count || ' of ' || base.line_count || ' lines'
                when base.net_amount_plan <= 0 then 'net revenue of {{ base_name }} is zero or negative'
            end as status_reason
        from stated
        left join sales_period as base
            on
                stated.subject_type = base.subject_type
                and stated.subject_id = base.subject_id
                and stated.{{ base_period }} = base.period_id
    ),

{% endfor %}
unioned as (
    select * from target_stretch_pct

    union all

    select * from target_stretch_last_year_pct
),

final as (
    select
        unioned.subject_type,
        unioned.subject_id,
        unioned.period_id,
        unioned.kpi_code,
        case when unioned.status = 'ok' then cast(unioned.target_value - unioned.base_amount as decimal(28, 8)) end as numerator,
        case when unioned.status = 'ok' then unioned.base_amount end as denominator,
        case
            when unioned.status = 'ok'
                then cast({{ exact_divide('unioned.target_value - unioned.base_amount', 'unioned.base_amount', 8) }} as decimal(28, 8))
        end as value,
        unioned.sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        company.plan_fx_rate_type as rate_type,
        unioned.status,
        unioned.status_reason
    from unioned
    cross join company
)

select * from final
