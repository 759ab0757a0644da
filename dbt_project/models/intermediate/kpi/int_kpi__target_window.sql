-- Grain: one row per target.
with

target as (
    select * from {{ ref('fct_target') }}
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

subject_month as (
    select * from {{ ref('int_kpi__subject_month') }}
),

coverage as (
    select * from {{ ref('int_kpi__sales_coverage') }}
),

sale_line as (
    select * from {{ ref('fct_sale_line') }}
    where channel is distinct from 'sell_out'
),

credit as (
    select * from {{ ref('int_credit__sale_line') }}
),

-- A window is its whole fiscal months, which are summed already, and the days at its edges, which lines are read for.
target_month as (
    select
        target.target_id,
        target.subject_type,
        target.subject_id,
        target.product_category,
        target.valid_from,
        target.valid_to,
        fiscal_month.month_start,
        fiscal_month.month_start >= target.valid_from and fiscal_month.month_end <= target.valid_to as is_whole
    from target
    inner join fiscal_month
        on
            target.valid_to > fiscal_month.month_start
            and target.valid_from < fiscal_month.month_end
),

whole_month as (
    select
        target_month.target_id,
        {{ sum_sales_measures('subject_month') }}
    from target_month
    inner join subject_month
        on
            target_month.subject_type = subject_month.subject_type
            and target_month.subject_id = subject_month.subject_id
            and target_month.month_start = subject_month.fiscal_month_start
    where
        target_month.is_whole
        and (target_month.product_category is null or target_month.product_category = subject_month.product_category)
    group by target_month.target_id
),

{% set sides = [
    ('dealer', 'sale_line', 'sale_line.dealer_id', ''),
    ('region', 'sale_line', 'sale_line.dealer_region', ''),
    ('company', 'sale_line', "'company'", ''),
    ('member', 'credit', 'credit.member_id', 'credited_'),
    ('team', 'credit', 'credit.member_team', 'credited_'),
] %}
{% for subject_type, relation, subject_id, prefix in sides %}
    {{ subject_type }}_edge as (
        select
            target_month.target_id,
        {{ sum_sale_lines(
            relation ~ '.' ~ prefix ~ 'net_amount_reporting',
            relation ~ '.' ~ prefix ~ 'net_amount_plan',
            relation ~ '.' ~ prefix ~ 'cost_amount_reporting',
            relation ~ '.' ~ prefix ~ 'cost_amount_plan'
        ) }}
        from target_month
        inner join {{ relation }}
            on
                target_month.month_start = {{ relation }}.fiscal_month_start
                and target_month.subject_id = {{ subject_id }}
                and {{ relation }}.sale_date >= target_month.valid_from
                and {{ relation }}.sale_date < target_month.valid_to
        where
            not target_month.is_whole
            and target_month.subject_type = '{{ subject_type }}'
            and (target_month.product_category is null or target_month.product_category = {{ relation }}.product_category)
        group by target_month.target_id
    ),

{% endfor %}
part as (
    {% for branch in ['whole_month', 'dealer_edge', 'region_edge', 'company_edge', 'member_edge', 'team_edge'] %}
        select
            target_id,
            {{ sales_measure_names() | join(',\n            ') }}
        from {{ branch }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

actual as (
    select
        target_id,
        {{ sum_sales_measures() }}
    from part
    group by target_id
),

measured as (
    select
        target.target_id,
        target.metric in ('net_revenue', 'gross_margin_amount') as is_amount,
        case
            when target.metric not in ('net_revenue', 'gross_margin_amount')
                then 'not measured by window: only net_revenue and gross_margin_amount are'
        end as undefined_reason,
        case
            when target.unit = company.reporting_currency_code then cast(target.target_value as decimal(28, 8))
            else {{ multiply('target.target_value', 'day_rate.rate') }}
        end as target_value_plan,
        coverage.covered_from is not null
        and target.valid_from < coverage.covered_to
        and target.valid_to > coverage.covered_from as is_covered,
        target.valid_to <= least({{ built_until() }}, {{ received_until() }}) as is_complete,
        coalesce(target.valid_from < coverage.covered_from, false) as begins_before_sales,
        coalesce(target.valid_from >= coverage.covered_to, false) as is_ahead,
        coalesce(actual.line_count, 0) as line_count,
        coalesce(actual.no_plan_rate_line_count, 0) as no_rate_line_count,
        case when target.metric = 'gross_margin_amount' then coalesce(actual.no_plan_cost_line_count, 0) else 0 end as no_cost_line_count,
        case
            when target.metric = 'net_revenue' then coalesce(actual.net_amount_plan, 0)
            when target.metric = 'gross_margin_amount' then coalesce(actual.margin_amount_plan, 0)
        end as amount
    from target
    cross join company
    cross join coverage
    left join actual on target.target_id = actual.target_id
    left join day_rate
        on
            target.unit = day_rate.currency_code
            and target.valid_from = day_rate.date_day
            and company.plan_fx_rate_type = day_rate.rate_type
),

judged as (
    select
        target_id,
        is_amount,
        is_complete,
        is_ahead,
        target_value_plan,
        line_count,
        amount,
        case
            when not is_amount then 'undefined'
            when not is_covered then 'no_data'
            when begins_before_sales then 'undefined'
            when target_value_plan is null or no_rate_line_count > 0 then 'no_rate'
            when no_cost_line_count > 0 then 'undefined'
            else 'ok'
        end as actual_status,
        case
            when not is_amount then undefined_reason
            when not is_covered then 'no sales delivered for the window'
            when begins_before_sales then 'sales cover only a part of the window'
            when target_value_plan is null then 'no plan rate for the unit of the target on its first day'
            when no_rate_line_count > 0 then 'no plan rate for ' || no_rate_line_count || ' of ' || line_count || ' lines'
            when no_cost_line_count > 0 then 'cost not known for ' || no_cost_line_count || ' of ' || line_count || ' lines'
        end as actual_reason
    from measured
),

final as (
    select
        target.target_id,
        target.subject_type,
        target.subject_id,
        target.metric,
        target.product_category,
        target.valid_from,
        target.valid_to,
        judged.is_complete,
        target.target_value,
        target.unit,
        target.objective_id,
        target.weight_pct,
        case when judged.is_amount then judged.target_value_plan end as target_value_reporting,
        case when judged.actual_status = 'ok' then cast(judged.amount as decimal(28, 8)) end as actual_value,
        case when judged.is_amount then company.reporting_currency_code end as currency_code,
        case when judged.is_amount then company.plan_fx_rate_type end as rate_type,
        case
            when judged.actual_status = 'ok' and judged.target_value_plan > 0
                then cast({{ exact_divide('judged.amount', 'judged.target_value_plan', 8) }} as decimal(28, 8))
        end as attainment,
        case when judged.is_amount then judged.line_count end as sample_size,
        judged.is_amount and judged.is_ahead as is_ahead,
        case
            when judged.actual_status = 'ok' and judged.target_value_plan <= 0 then 'undefined'
            else judged.actual_status
        end as status,
        case
            when judged.actual_status = 'ok' and judged.target_value_plan <= 0 then 'the target is zero or negative'
            else judged.actual_reason
        end as status_reason
    from target
    inner join judged on target.target_id = judged.target_id
    cross join company
)

select * from final
