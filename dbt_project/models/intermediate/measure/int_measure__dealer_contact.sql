-- Grain: one row per dealer in force, fiscal month and measure.
with

dealer as (
    select *
    from {{ ref('dim_dealer') }}
    where status is null or status not in ('prospect', 'terminated')
),

dealer_share as (
    select * from {{ ref('int_credit__dealer_share') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

message as (
    select *
    from {{ ref('fct_message') }}
    where dealer_id is not null
),

attendance as (
    select *
    from {{ ref('fct_event_attendance') }}
    where
        dealer_id is not null
        and is_attended
),

-- Notes and tasks are about a dealer; they do not reach one.
activity as (
    select *
    from {{ ref('fct_activity') }}
    where
        dealer_id is not null
        and is_done
        and kind not in ('note', 'task')
),

action as (
    select * from {{ ref('fct_action') }}
),

message_rule as (
    select * from {{ source('config', 'message_rule') }}
),

contact_cadence as (
    select * from {{ source('config', 'contact_cadence') }}
),

fiscal_month as (
    select
        month_start,
        month_end,
        least(cast({{ dbt.dateadd('day', -1, 'month_end') }} as date), {{ received_until() }}) as last_day
    from {{ source('config', 'fiscal_month') }}
    where
        month_start < {{ built_until() }}
        and month_start <= {{ received_until() }}
),

contact as (
    select
        dealer_id,
        sent_date as contact_date
    from message

    union all

    select
        dealer_id,
        event_date as contact_date
    from attendance

    union all

    select
        dealer_id,
        occurred_date as contact_date
    from activity
),

-- Before a record begins, nothing is known of it: these months have no row rather than dealers without a contact.
begun as (
    select
        (select min(contact_date) from contact) as first_contact_date,
        (select min(sent_date) from message) as first_message_date,
        (select min(agreed_date) filter (where kind = 'joint_plan') from action) as first_plan_date
),

-- In force on any day of the month; the last of its rows in the month says where the dealer belongs.
in_month as (
    select
        fiscal_month.month_start,
        fiscal_month.month_end,
        fiscal_month.last_day,
        dealer.dealer_id,
        dealer.region,
        dealer.tier,
        cast(least(fiscal_month.last_day, {{ dbt.dateadd('day', -1, 'dealer.valid_to') }}) as date) as balance_date,
        row_number() over (
            partition by fiscal_month.month_start, dealer.dealer_id
            order by dealer.valid_from desc nulls last
        ) as row_no
    from fiscal_month
    inner join dealer
        on
            fiscal_month.last_day >= dealer.valid_from
            and fiscal_month.month_start < dealer.valid_to
            and (dealer.onboarded_date is null or fiscal_month.last_day >= dealer.onboarded_date)
),

-- The largest share among those who are in service.
owner as (
    select
        in_month.month_start,
        in_month.dealer_id,
        member.member_id,
        member.team,
        row_number() over (
            partition by in_month.month_start, in_month.dealer_id
            order by
                dealer_share.credit_pct desc nulls last,
                dealer_share.credit_role desc nulls last,
                dealer_share.member_id asc nulls last
        ) as owner_no
    from in_month
    inner join dealer_share
        on
            in_month.dealer_id = dealer_share.dealer_id
            and in_month.balance_date >= dealer_share.valid_from
            and in_month.balance_date < dealer_share.valid_to
    inner join member
        on
            dealer_share.member_id = member.member_id
            and in_month.balance_date >= member.valid_from
            and in_month.balance_date < member.valid_to
            and (member.left_date is null or in_month.balance_date < member.left_date)
    where in_month.row_no = 1
),

placed as (
    select
        in_month.month_start,
        in_month.month_end,
        in_month.last_day,
        in_month.dealer_id,
        owner.member_id,
        owner.team,
        in_month.region,
        in_month.balance_date = in_month.last_day as is_at_month_end,
        coalesce(contact_cadence.cadence_days, message_rule.contact_other_days) as cadence_days
    from in_month
    cross join message_rule
    left join contact_cadence on in_month.tier = contact_cadence.tier
    left join owner
        on
            in_month.month_start = owner.month_start
            and in_month.dealer_id = owner.dealer_id
            and owner.owner_no = 1
    where in_month.row_no = 1
),

reached as (
    select
        placed.month_start,
        placed.dealer_id
    from placed
    inner join contact
        on
            placed.dealer_id = contact.dealer_id
            and placed.last_day >= contact.contact_date
            and contact.contact_date >= {{ dbt.dateadd('day', '-placed.cadence_days', 'placed.last_day') }}
    where placed.is_at_month_end
    group by placed.month_start, placed.dealer_id
),

told as (
    select
        fiscal_month_start as month_start,
        dealer_id
    from message
    where kind = 'feedback'
    group by fiscal_month_start, dealer_id
),

-- What was declined was never agreed, and so never open.
planned as (
    select
        placed.month_start,
        placed.dealer_id
    from placed
    inner join action
        on
            placed.dealer_id = action.dealer_id
            and action.kind = 'joint_plan'
            and (action.outcome is null or action.outcome <> 'declined')
            and placed.last_day >= action.agreed_date
            and (action.closed_date is null or placed.month_start <= action.closed_date)
    group by placed.month_start, placed.dealer_id
),

judged as (
    select
        placed.month_start as fiscal_month_start,
        placed.dealer_id,
        placed.member_id,
        placed.team,
        placed.region,
        coalesce(placed.is_at_month_end and begun.first_contact_date <= placed.last_day, false) as is_contact_known,
        coalesce(begun.first_message_date <= placed.last_day, false) as is_message_known,
        coalesce(begun.first_plan_date <= placed.last_day, false) as is_plan_known,
        reached.dealer_id is not null as is_reached,
        told.dealer_id is not null as is_told,
        planned.dealer_id is not null as is_planned
    from placed
    cross join begun
    left join reached
        on
            placed.month_start = reached.month_start
            and placed.dealer_id = reached.dealer_id
    left join told
        on
            placed.month_start = told.month_start
            and placed.dealer_id = told.dealer_id
    left join planned
        on
            placed.month_start = planned.month_start
            and placed.dealer_id = planned.dealer_id
),

final as (
    {% for measure_code, value, condition in [
        ('dealer_at_month_end', '1', 'is_contact_known'),
        ('dealer_reached', '1', 'is_contact_known and is_reached'),
        ('dealer_to_give_feedback', '1', 'is_message_known'),
        ('dealer_given_feedback', '1', 'is_message_known and is_told'),
        ('dealer_to_plan_with', '1', 'is_plan_known'),
        ('dealer_with_joint_plan', '1', 'is_plan_known and is_planned'),
    ] %}
        select
            dealer_id as event_id,
            '{{ measure_code }}' as measure_code,
            member_id,
            dealer_id,
            team,
            region,
            cast(null as string) as product_category,
            fiscal_month_start,
            fiscal_month_start as known_month_start,
            cast({{ value }} as decimal(18, 8)) as value
        from judged
        where {{ condition }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select * from final
