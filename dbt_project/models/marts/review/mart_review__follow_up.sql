-- Grain: one row per agreed improvement or career conversation.
with

improvement as (
    select * from {{ ref('fct_action') }}
    where kind = 'improvement'
),

conversation as (
    select * from {{ ref('fct_career_conversation') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

quarter as (
    select *
    from {{ ref('dim_period') }}
    where period_type = 'quarter'
),

agreed as (
    select
        action_id,
        kind,
        case when about_type = 'member' then about_id else owner_id end as member_id,
        owner_id,
        text,
        agreed_date,
        due_date,
        done_date,
        outcome
    from improvement

    union all

    select
        action_id,
        'career_conversation' as kind,
        coalesce(member_id, owner_id) as member_id,
        owner_id,
        text,
        agreed_date,
        due_date,
        done_date,
        outcome
    from conversation
),

judged as (
    select
        *,
        case
            when outcome in ('dropped', 'declined') then 'ended'
            when done_date is not null and done_date > due_date then 'done_late'
            when done_date is not null then 'done'
            when due_date < {{ as_of_date() }} then 'overdue'
            else 'open'
        end as status
    from agreed
),

final as (
    select
        judged.action_id,
        judged.kind,
        judged.member_id,
        judged.owner_id,
        member.manager_id,
        member.team,
        quarter.period_id,
        judged.text,
        judged.agreed_date,
        judged.due_date,
        judged.done_date,
        judged.outcome,
        judged.status,
        case
            when judged.status = 'done_late' then {{ dbt.datediff('judged.due_date', 'judged.done_date', 'day') }}
            when judged.status = 'overdue' then {{ dbt.datediff('judged.due_date', as_of_date(), 'day') }}
        end as overdue_days
    from judged
    left join member
        on
            judged.member_id = member.member_id
            and judged.agreed_date >= member.valid_from
            and judged.agreed_date < member.valid_to
    left join quarter
        on
            judged.agreed_date >= quarter.period_start
            and judged.agreed_date < quarter.period_end
)

select * from final
