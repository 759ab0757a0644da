-- Grain: one row per manager and quarter with members due a review.
with

timeline as (
    select * from {{ ref('mart_review__timeline') }}
    where manager_id is not null
),

review_rule as (
    select * from {{ source('config', 'review_rule') }}
),

appeal as (
    select * from {{ ref('mart_review__appeal') }}
    where status = 'overdue'
),

follow_up as (
    select * from {{ ref('mart_review__follow_up') }}
    where status = 'overdue'
),

member as (
    select * from {{ ref('dim_member') }}
    where is_latest
),

missed as (
    select
        timeline.manager_id,
        timeline.period_id,
        'ratings' as what,
        cast({{ dbt.dateadd('day', 'review_rule.inputs_due_days - 1', 'timeline.period_end') }} as date) as due_date
    from timeline
    cross join review_rule
    where timeline.manager_status = 'missing'

    union all

    select
        manager_id,
        period_id,
        'deliveries' as what,
        delivery_due_date as due_date
    from timeline
    where delivery_status = 'overdue'

    union all

    select
        manager_id,
        period_id,
        'acknowledgements' as what,
        acknowledgement_due_date as due_date
    from timeline
    where acknowledgement_status = 'overdue'

    union all

    select
        manager_id,
        period_id,
        'appeals' as what,
        due_date
    from appeal

    union all

    select
        manager_id,
        period_id,
        case kind when 'improvement' then 'improvements' else 'talks' end as what,
        due_date
    from follow_up
),

counted as (
    select
        manager_id,
        period_id,
        {% for what in ['ratings', 'deliveries', 'acknowledgements', 'appeals', 'improvements', 'talks'] %}
            sum(case when what = '{{ what }}' then 1 else 0 end) as {{ what }},
        {% endfor %}
        count(*) as overdue_count,
        min(due_date) as oldest_due_date
    from missed
    group by manager_id, period_id
),

led as (
    select
        manager_id,
        period_id,
        min(period_start) as period_start,
        count(*) as member_count
    from timeline
    group by manager_id, period_id
),

final as (
    select
        led.manager_id,
        member.member_name as manager_name,
        led.period_id,
        led.period_start,
        led.member_count,
        cast(coalesce(counted.ratings, 0) as bigint) as ratings_missing,
        cast(coalesce(counted.deliveries, 0) as bigint) as deliveries_overdue,
        cast(coalesce(counted.acknowledgements, 0) as bigint) as acknowledgements_overdue,
        cast(coalesce(counted.appeals, 0) as bigint) as appeals_overdue,
        cast(coalesce(counted.improvements, 0) as bigint) as improvements_overdue,
        cast(coalesce(counted.talks, 0) as bigint) as talks_overdue,
        coalesce(counted.overdue_count, 0) as overdue_count,
        counted.oldest_due_date,
        {{ dbt.datediff('counted.oldest_due_date', as_of_date(), 'day') }} as oldest_overdue_days
    from led
    left join counted
        on
            led.manager_id = counted.manager_id
            and led.period_id = counted.period_id
    left join member on led.manager_id = member.member_id
)

select * from final
