-- Grain: one row per member, quarter reviewed and measure.
with

company as (
    select * from {{ source('config', 'company') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

review as (
    select
        member_id,
        period_id,
        member_team,
        member_region,
        period_end,
        cast(null as date) as delivered_date
    from {{ ref('fct_review_input') }}

    union all

    select
        member_id,
        period_id,
        member_team,
        member_region,
        period_end,
        delivered_date
    from {{ ref('fct_review_acknowledgement') }}
),

-- Whoever was rated is to be told, and whoever was told was reviewed.
held as (
    select
        member_id,
        period_id,
        max(member_team) as member_team,
        max(member_region) as member_region,
        max(period_end) as period_end,
        min(delivered_date) as delivered_date
    from review
    where period_end is not null
    group by member_id, period_id
),

due as (
    select
        held.member_id,
        held.period_id,
        held.member_team,
        held.member_region,
        held.delivered_date,
        cast({{ dbt.dateadd('day', 'company.feedback_days - 1', 'held.period_end') }} as date) as due_date
    from held
    cross join company
),

dated as (
    select
        due.member_id || '/' || due.period_id as event_id,
        due.member_id,
        due.member_team,
        due.member_region,
        due.delivered_date,
        due.due_date,
        calendar.fiscal_month_start
    from due
    inner join calendar on due.due_date = calendar.date_day
    -- On the day itself it can still be in time.
    where due.due_date < {{ received_until() }}
),

final as (
    {% for measure_code, condition in [
        ('review_due', 'event_id is not null'),
        ('review_in_time', 'delivered_date <= due_date'),
    ] %}
        select
            event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            cast(null as string) as dealer_id,
            member_team as team,
            member_region as region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast(1 as decimal(18, 8)) as value
        from dated
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
