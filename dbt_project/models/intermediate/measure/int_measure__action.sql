-- Grain: one row per action and measure.
with

action as (
    select * from {{ ref('fct_action') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

-- An improvement is due to be done, a suggestion to be answered. What was declined was never agreed.
duty as (
    select
        action_id,
        'action' as duty,
        owner_id,
        dealer_id,
        due_date,
        case when outcome is null or outcome = 'done' then done_date end as fulfilled_date
    from action
    where
        kind = 'improvement'
        and (outcome is null or outcome <> 'declined')

    union all

    select
        action_id,
        'suggestion' as duty,
        owner_id,
        dealer_id,
        answer_due_date as due_date,
        answered_date as fulfilled_date
    from action
    where kind = 'suggestion'
),

-- Whoever has left by the due day has no duties; the action stays one of the company.
due as (
    select
        duty.action_id,
        duty.duty,
        member.member_id,
        duty.dealer_id,
        member.team,
        coalesce(dealer.region, member.region) as region,
        calendar.fiscal_month_start,
        coalesce(duty.fulfilled_date <= duty.due_date, false) as is_in_time
    from duty
    inner join calendar on duty.due_date = calendar.date_day
    left join member
        on
            duty.owner_id = member.member_id
            and duty.due_date >= member.valid_from
            and duty.due_date < {{ employed_until('member') }}
    left join dealer
        on
            duty.dealer_id = dealer.dealer_id
            and duty.due_date >= dealer.valid_from
            and duty.due_date < dealer.valid_to
    where duty.due_date < {{ received_until() }}
),

final as (
    {% for measure_code, value, condition in [
        ('action_due', '1', "duty = 'action'"),
        ('action_done_in_time', '1', "duty = 'action' and is_in_time"),
        ('suggestion_due', '1', "duty = 'suggestion'"),
        ('suggestion_answered_in_time', '1', "duty = 'suggestion' and is_in_time"),
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
