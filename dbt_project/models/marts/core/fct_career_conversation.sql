-- Grain: one row per agreed conversation on a career.
with

action as (
    select *
    from {{ ref('int_current__action') }}
    where kind = 'career_conversation'
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

final as (
    select
        action.action_id,
        action.updated_at,
        action.owner_id,
        case when action.about_type = 'member' then action.about_id end as member_id,
        member.team as member_team,
        member.region,
        action.text,
        action.agreed_date,
        calendar.fiscal_month_start,
        action.due_date,
        action.done_date,
        action.outcome,
        action._source,
        action._source_file,
        action._delivery_id,
        action._row_number,
        action._row_part,
        action._received_date
    from action
    left join calendar on action.agreed_date = calendar.date_day
    left join member
        on
            action.about_type = 'member'
            and action.about_id = member.member_id
            and action.agreed_date >= member.valid_from
            and action.agreed_date < member.valid_to
)

select * from final
