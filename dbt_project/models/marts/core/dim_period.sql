-- Grain: one row per fiscal period (month, quarter or year).
with

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

listed as (
    select
        month_id as period_id,
        'month' as period_type,
        month_start as period_start,
        month_end as period_end,
        fiscal_year,
        fiscal_month_no as number_in_year
    from fiscal_month

    union all

    select
        quarter_id as period_id,
        'quarter' as period_type,
        quarter_start as period_start,
        quarter_end as period_end,
        fiscal_year,
        fiscal_quarter_no as number_in_year
    from fiscal_month
    group by quarter_id, quarter_start, quarter_end, fiscal_year, fiscal_quarter_no

    union all

    select
        year_id as period_id,
        'year' as period_type,
        year_start as period_start,
        year_end as period_end,
        fiscal_year,
        1 as number_in_year
    from fiscal_month
    group by year_id, year_start, year_end, fiscal_year
),

final as (
    select
        this_period.period_id,
        this_period.period_type,
        this_period.period_start,
        this_period.period_end,
        cast(this_period.fiscal_year as integer) as fiscal_year,
        cast(this_period.number_in_year as integer) as number_in_year,
        previous_period.period_id as previous_period_id,
        last_year_period.period_id as last_year_period_id,
        this_period.period_end <= least({{ built_until() }}, {{ received_until() }}) as is_complete
    from listed as this_period
    left join listed as previous_period
        on
            this_period.period_type = previous_period.period_type
            and this_period.period_start = previous_period.period_end
    left join listed as last_year_period
        on
            this_period.period_type = last_year_period.period_type
            and this_period.number_in_year = last_year_period.number_in_year
            and this_period.fiscal_year = last_year_period.fiscal_year + 1
)

select * from final
