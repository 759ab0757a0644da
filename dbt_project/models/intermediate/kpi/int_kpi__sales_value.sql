-- Grain: one row per seller, fiscal period and KPI of sales.
with

sales_period as (
    select * from {{ ref('int_kpi__sales_period') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

-- A sum with a hole is no sum: one line without rate leaves the period without value.
revenue as (
    select
        subject_type,
        subject_id,
        period_id,
        previous_period_id,
        last_year_period_id,
        is_covered_whole,
        line_count,
        case when is_covered and no_rate_line_count = 0 then net_amount_reporting end as net_revenue,
        case
            when not is_covered then 'no_data'
            when no_rate_line_count > 0 then 'no_rate'
            else 'ok'
        end as status,
        case
            when not is_covered then 'no sales delivered for the period'
            when no_rate_line_count > 0 then 'no exchange rate for ' || no_rate_line_count || ' of ' || line_count || ' lines'
            when not is_covered_whole then 'sales cover only a part of the period'
        end as status_reason
    from sales_period
),

net_revenue as (
    select
        subject_type,
        subject_id,
        period_id,
        'net_revenue' as kpi_code,
        net_revenue as numerator,
        cast(null as decimal(28, 8)) as denominator,
        net_revenue as value,
        line_count as sample_size,
        status,
        status_reason
    from revenue
),

margin as (
    select
        revenue.subject_type,
        revenue.subject_id,
        revenue.period_id,
        revenue.net_revenue is not null as is_measured,
        revenue.status as revenue_status,
        revenue.status_reason as revenue_status_reason,
        sales_period.line_count,
        sales_period.no_cost_line_count,
        sales_period.line_count - sales_period.no_rate_line_count - sales_period.no_cost_line_count as costed_line_count,
        sales_period.margin_amount_reporting,
        sales_period.costed_net_amount_reporting,
        case
            when sales_period.no_cost_line_count > 0
                then 'cost not known for ' || sales_period.no_cost_line_count || ' of ' || sales_period.line_count || ' lines'
        end as cost_reason
    from revenue
    inner join sales_period
        on
            revenue.subject_type = sales_period.subject_type
            and revenue.subject_id = sales_period.subject_id
            and revenue.period_id = sales_period.period_id
),

gross_margin_amount as (
    select
        subject_type,
        subject_id,
        period_id,
        'gross_margin_amount' as kpi_code,
        case when is_measured and no_cost_line_count = 0 then margin_amount_reporting end as numerator,
        cast(null as decimal(28, 8)) as denominator,
        case when is_measured and no_cost_line_count = 0 then margin_amount_reporting end as value,
        costed_line_count as sample_size,
        case
            when not is_measured then revenue_status
            when no_cost_line_count > 0 and costed_line_count = 0 then 'no_data'
            when no_cost_line_count > 0 then 'undefined'
            else 'ok'
        end as status,
        coalesce(revenue_status_reason, cost_reason) as status_reason
    from margin
),

-- The share is taken over the lines whose cost is known; the sample size and the reason say which part that is.
gross_margin_pct as (
    select
        subject_type,
        subject_id,
        period_id,
        'gross_margin_pct' as kpi_code,
        case when is_measured and costed_line_count > 0 then margin_amount_reporting end as numerator,
        case when is_measured and costed_line_count > 0 then costed_net_amount_reporting end as denominator,
        case
            when is_measured and costed_net_amount_reporting > 0
                then cast({{ exact_divide('margin_amount_reporting', 'costed_net_amount_reporting', 8) }} as decimal(28, 8))
        end as value,
        costed_line_count as sample_size,
        case
            when not is_measured then revenue_status
            when costed_line_count = 0 then 'no_data'
            when costed_net_amount_reporting <= 0 then 'undefined'
            else 'ok'
        end as status,
        case
            when not is_measured then revenue_status_reason
            when line_count = 0 then 'no sales in the period'
            when costed_line_count > 0 and costed_net_amount_reporting <= 0 then 'net revenue is zero or negative'
            else cost_reason
        end as status_reason
    from margin
),

{% for kpi_code, base_period, base_name in [
    ('growth_previous_pct', 'previous_period_id', 'the previous period'),
    ('growth_last_year_pct', 'last_year_period_id', 'the same period last year'),
] %}
    {{ kpi_code }} as (
        select
            this_period.subject_type,
            this_period.subject_id,
            this_period.period_id,
            '{{ kpi_code }}' as kpi_code,
            cast(this_period.net_revenue - base_period.net_revenue as decimal(28, 8)) as numerator,
            base_period.net_revenue as denominator,
            case
                when this_period.is_covered_whole and base_period.is_covered_whole and base_period.net_revenue > 0
                    then cast({{ exact_divide(
                    'this_period.net_revenue - base_period.net_revenue', 'base_period.net_revenue', 8
                ) }} as decimal(28, 8))
            end as value,
            this_period.line_count as sample_size,
            case
                when this_period.net_revenue is null then this_period.status
                when base_period.subject_id is null then 'no_data'
                when base_period.net_revenue is null then base_period.status
                when not this_period.is_covered_whole or not base_period.is_covered_whole then 'undefined'
                when base_period.net_revenue <= 0 then 'undefined'
                else 'ok'
            end as status,
            case
                when this_period.net_revenue is null then this_period.status_reason
                when base_period.subject_id is null then 'nothing to compare with in {{ base_name }}'
                when base_period.net_revenue is null then '{{ base_name }}: ' || base_period.status_reason
                when not this_period.is_covered_whole then 'sales cover only a part of the period'
                when not base_period.is_covered_whole then 'sales cover only a part of {{ base_name }}'
                when base_period.net_revenue <= 0 then 'net revenue of {{ base_name }} is zero or negative'
            end as status_reason
        from revenue as this_period
        left join revenue as base_period
            on
                this_period.subject_type = base_period.subject_type
                and this_period.subject_id = base_period.subject_id
                and this_period.{{ base_period }} = base_period.period_id
    ),

{% endfor %}
final as (
    {% for branch in ['net_revenue', 'gross_margin_amount', 'gross_margin_pct', 'growth_previous_pct', 'growth_last_year_pct'] %}
        select
            subject_type,
            subject_id,
            period_id,
            kpi_code,
            numerator,
            denominator,
            value,
            sample_size,
            cast(null as decimal(18, 8)) as ci_low,
            cast(null as decimal(18, 8)) as ci_high,
            cast(null as string) as ci_method,
            company.fx_rate_type as rate_type,
            status,
            status_reason
        from {{ branch }}
        cross join company
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
