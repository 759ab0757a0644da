-- Grain: one row per subject (member, team, region, company, category), fiscal period begun and dealer with sales.
{{ by_fiscal_period('int_sales__period_state') }}
with

month_period as (
    select * from {{ ref('int_calendar__month_period') }}
    where {{ of_this_build('int_sales__period_state', 'period_id') }}
),

cell as (
    select * from {{ ref('int_sales__cell_month') }}
    where fiscal_month_start in (select month_period.fiscal_month_start from month_period)
),

dealer_start as (
    select * from {{ ref('int_sales__dealer_start') }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

month_numbered as (
    select
        month_start,
        row_number() over (order by month_start nulls last) as month_no
    from fiscal_month
),

-- Two starts of one dealer lie more than twelve months apart.
dated as (
    select
        cell.fiscal_month_start,
        cell.dealer_id,
        cell.member_id,
        cell.team,
        cell.region,
        cell.product_category,
        cell.net_amount,
        cell.no_rate_share,
        case when dealer_start.dealer_id is not null then cell.net_amount else 0 end as new_net_amount,
        coalesce(dealer_start.month_no = month_numbered.month_no and cell.invoice_share > 0, false) as is_start
    from cell
    inner join month_numbered on cell.fiscal_month_start = month_numbered.month_start
    left join dealer_start
        on
            cell.dealer_id = dealer_start.dealer_id
            and month_numbered.month_no >= dealer_start.month_no
            and month_numbered.month_no <= dealer_start.month_no + 11
),

summed as (
    {% for subject_type, subject_id in measure_subjects() if subject_type != 'dealer' %}
        select
            '{{ subject_type }}' as subject_type,
            {{ subject_id }} as subject_id,
            fiscal_month_start,
            dealer_id,
            sum(net_amount) as net_amount,
            sum(no_rate_share) as no_rate_share,
            sum(new_net_amount) as new_net_amount,
            bool_or(is_start) as is_start
        from dated
        where {{ subject_id }} is not null
        group by {{ subject_id ~ ', ' if subject_type != 'company' }}fiscal_month_start, dealer_id
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

final as (
    select
        summed.subject_type,
        summed.subject_id,
        month_period.period_id,
        summed.dealer_id,
        cast(sum(summed.net_amount) as decimal(28, 8)) as net_amount,
        cast(sum(summed.new_net_amount) as decimal(28, 8)) as new_net_amount,
        bool_or(summed.is_start) as is_start,
        bool_or(summed.no_rate_share <> 0) as has_no_rate
    from summed
    inner join month_period on summed.fiscal_month_start = month_period.fiscal_month_start
    group by summed.subject_type, summed.subject_id, month_period.period_id, summed.dealer_id
)

select * from final
