-- Grain: one row per assessment of one skill of a member.
with

level as (
    select * from {{ ref('int_current__skill_level') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

final as (
    select
        level.assessment_id,
        level.member_id,
        level.skill,
        level.topic,
        level.assessed_date,
        level.assessor_id,
        level.scale_min,
        level.scale_max,
        level.level,
        member.team as member_team,
        member.region as member_region,
        calendar.fiscal_month_start,
        cast(
            {{ exact_divide('100 * (level.level - level.scale_min)', 'level.scale_max - level.scale_min', 8) }} as decimal(18, 8)
        ) as level_of_hundred,
        level._source,
        level._source_file,
        level._delivery_id,
        level._row_number,
        level._row_part,
        level._received_date
    from level
    left join calendar on level.assessed_date = calendar.date_day
    left join member
        on
            level.member_id = member.member_id
            and level.assessed_date >= member.valid_from
            and level.assessed_date < member.valid_to
)

select * from final
