-- Grain: one row per member, complete quarter and window of the member's row in which the member was employed.
with

member as (
    select * from {{ ref('dim_member') }}
),

period as (
    select *
    from {{ ref('dim_period') }}
    where
        period_type = 'quarter'
        and is_complete
),

employed as (
    select
        member.member_id,
        period.period_id,
        period.period_start,
        period.period_end,
        member.valid_from,
        member.member_name,
        member.role,
        member.grade,
        member.team,
        member.region,
        member.manager_id,
        member.gender,
        member.hired_date,
        member.left_date,
        greatest(member.valid_from, member.hired_date, period.period_start) as first_day,
        least(member.valid_to, member.left_date, period.period_end) as day_after
    from member
    inner join period
        on
            member.valid_from < period.period_end
            and member.valid_to > period.period_start
),

final as (
    select
        member_id,
        period_id,
        period_start,
        period_end,
        valid_from,
        member_name,
        role,
        grade,
        team,
        region,
        manager_id,
        gender,
        hired_date,
        left_date,
        first_day,
        day_after,
        {{ dbt.datediff('first_day', 'day_after', 'day') }} as employed_days
    from employed
    where first_day < day_after
)

select * from final
