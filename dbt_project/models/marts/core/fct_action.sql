-- Grain: one row per agreed action, but for conversations on careers.
with

action as (
    select *
    from {{ ref('int_current__action') }}
    where kind <> 'career_conversation'
),

company as (
    select * from {{ source('config', 'company') }}
),

message_rule as (
    select * from {{ source('config', 'message_rule') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

placed as (
    select
        action.action_id,
        action.updated_at,
        action.kind,
        action.proposed_by_type,
        action.proposed_by_id,
        action.owner_id,
        action.about_type,
        action.about_id,
        -- A plan with a dealer and a suggestion of one are about that dealer.
        case
            when action.about_type = 'dealer' then action.about_id
            when action.proposed_by_type = 'dealer' then action.proposed_by_id
        end as dealer_id,
        action.text,
        action.agreed_date,
        calendar.fiscal_month_start,
        action.due_date,
        -- What was dropped or declined is over on the day it was done with, else on that of the last change.
        coalesce(
            action.done_date,
            case
                when action.outcome in ('dropped', 'declined')
                    then coalesce({{ local_date('action.updated_at', 'company.time_zone') }}, action.agreed_date)
            end
        ) as closed_date,
        case
            when action.kind = 'suggestion' then calendar.working_day_no + message_rule.suggestion_answer_days
        end as answer_due_no,
        action.answered_date,
        action.done_date,
        action.outcome,
        action._source,
        action._source_file,
        action._delivery_id,
        action._row_number,
        action._row_part,
        action._received_date
    from action
    cross join company
    cross join message_rule
    left join calendar on action.agreed_date = calendar.date_day
),

final as (
    select
        placed.action_id,
        placed.updated_at,
        placed.kind,
        placed.proposed_by_type,
        placed.proposed_by_id,
        placed.owner_id,
        placed.about_type,
        placed.about_id,
        placed.dealer_id,
        member.team as owner_team,
        coalesce(dealer.region, member.region) as region,
        placed.text,
        placed.agreed_date,
        placed.fiscal_month_start,
        placed.due_date,
        answer_day.date_day as answer_due_date,
        placed.answered_date,
        placed.done_date,
        placed.closed_date,
        placed.outcome,
        placed._source,
        placed._source_file,
        placed._delivery_id,
        placed._row_number,
        placed._row_part,
        placed._received_date
    from placed
    left join calendar as answer_day
        on
            placed.answer_due_no = answer_day.working_day_no
            and answer_day.is_working_day
    left join member
        on
            placed.owner_id = member.member_id
            and placed.agreed_date >= member.valid_from
            and placed.agreed_date < member.valid_to
    left join dealer
        on
            placed.dealer_id = dealer.dealer_id
            and placed.agreed_date >= dealer.valid_from
            and placed.agreed_date < dealer.valid_to
)

select * from final
