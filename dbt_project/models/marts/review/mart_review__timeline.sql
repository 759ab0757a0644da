-- Grain: one row per member and quarter due a review.
with

due as (
    select * from {{ ref('int_review__member_quarter') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

review_rule as (
    select * from {{ source('config', 'review_rule') }}
),

period as (
    select * from {{ ref('dim_period') }}
),

acknowledgement as (
    select * from {{ ref('fct_review_acknowledgement') }}
),

asked as (
    select
        template_id,
        max(case when part = 'self' then 1 else 0 end) = 1 as is_self_asked,
        max(case when part = 'manager' then 1 else 0 end) = 1 as is_manager_asked
    from {{ source('config', 'review_criterion') }}
    group by template_id
),

given as (
    select
        member_id,
        period_id,
        max(case when part = 'self' then 1 else 0 end) = 1 as is_self_given,
        max(case when part = 'manager' then 1 else 0 end) = 1 as is_manager_given
    from {{ ref('int_review__input_version') }}
    where status = 'counted'
    group by member_id, period_id
),

-- Before the first quarter of which a rating or a delivery is known, nobody was asked: nothing of it is overdue.
known as (
    select period_id from {{ ref('int_review__input_version') }}
    union all
    select period_id from acknowledgement
),

begun as (
    select min(period.period_start) as first_start
    from period
    inner join known on period.period_id = known.period_id
),

-- The first delivery counts, and whatever is acknowledged first.
delivered as (
    select
        member_id,
        period_id,
        delivered_date,
        delivered_by_id,
        comment,
        min(acknowledged_date) over (partition by member_id, period_id) as acknowledged_date,
        row_number() over (
            partition by member_id, period_id
            order by delivered_date nulls last, acknowledgement_id nulls last
        ) as delivery_no
    from acknowledgement
),

dated as (
    select
        due.member_id,
        due.period_id,
        due.period_start,
        due.period_end,
        due.role,
        due.team,
        due.manager_id,
        coalesce(due.period_start >= begun.first_start, false) as is_begun,
        coalesce(asked.is_self_asked, false) as is_self_asked,
        coalesce(asked.is_manager_asked, false) as is_manager_asked,
        coalesce(given.is_self_given, false) as is_self_given,
        coalesce(given.is_manager_given, false) as is_manager_given,
        cast({{ dbt.dateadd('day', 'review_rule.inputs_due_days - 1', 'due.period_end') }} as date) as inputs_due_date,
        delivered.delivered_date,
        delivered.delivered_by_id,
        cast({{ dbt.dateadd('day', 'company.feedback_days - 1', 'due.period_end') }} as date) as delivery_due_date,
        {{ dbt.datediff('due.period_end', 'delivered.delivered_date', 'day') }} as delivery_days,
        delivered.acknowledged_date,
        cast({{ dbt.dateadd('day', 'review_rule.acknowledgement_days', 'delivered.delivered_date') }} as date) as acknowledgement_due_date,
        {{ dbt.datediff('delivered.delivered_date', 'delivered.acknowledged_date', 'day') }} as acknowledgement_days,
        delivered.comment
    from due
    cross join company
    cross join review_rule
    cross join begun
    left join asked on due.template_id = asked.template_id
    left join given
        on
            due.member_id = given.member_id
            and due.period_id = given.period_id
    left join delivered
        on
            due.member_id = delivered.member_id
            and due.period_id = delivered.period_id
            and delivered.delivery_no = 1
),

final as (
    select
        member_id,
        period_id,
        period_start,
        period_end,
        role,
        team,
        manager_id,
        {% for part in ['self', 'manager'] %}
            case
                when not is_{{ part }}_asked or not is_begun then 'not_asked'
                when is_{{ part }}_given then 'given'
                when inputs_due_date < {{ as_of_date() }} then 'missing'
                else 'open'
            end as {{ part }}_status,
        {% endfor %}
        delivered_date,
        delivered_by_id,
        delivery_due_date,
        delivery_days,
        case
            when delivered_date <= delivery_due_date then 'in_time'
            when delivered_date is not null then 'late'
            when not is_begun then 'not_begun'
            when delivery_due_date < {{ as_of_date() }} then 'overdue'
            else 'open'
        end as delivery_status,
        acknowledged_date,
        acknowledgement_due_date,
        acknowledgement_days,
        case
            when delivered_date is null then 'not_delivered'
            when acknowledged_date <= acknowledgement_due_date then 'in_time'
            when acknowledged_date is not null then 'late'
            when acknowledgement_due_date < {{ as_of_date() }} then 'overdue'
            else 'open'
        end as acknowledgement_status,
        comment
    from dated
)

select * from final
