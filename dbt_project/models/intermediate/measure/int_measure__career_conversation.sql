-- Grain: one row per agreed conversation on a career and measure.
with

conversation as (
    select * from {{ ref('fct_career_conversation') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

-- Nobody talks with who has left about a career here; declined is never agreed.
due as (
    select
        conversation.action_id,
        member.member_id,
        cast(null as string) as dealer_id,
        member.team,
        member.region,
        calendar.fiscal_month_start,
        coalesce(
            conversation.done_date <= conversation.due_date
            and (conversation.outcome is null or conversation.outcome = 'done'), false
        ) as is_in_time
    from conversation
    inner join calendar on conversation.due_date = calendar.date_day
    inner join member
        on
            conversation.member_id = member.member_id
            and conversation.due_date >= member.valid_from
            and conversation.due_date < member.valid_to
    where
        conversation.due_date < {{ received_until() }}
        and (member.left_date is null or conversation.due_date < member.left_date)
        and (conversation.outcome is null or conversation.outcome <> 'declined')
),

final as (
    {% for measure_code, value, condition in [
        ('career_talk_due', '1', 'action_id is not null'),
        ('career_talk_in_time', '1', 'is_in_time'),
    ] %}
        select
            action_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from due
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
