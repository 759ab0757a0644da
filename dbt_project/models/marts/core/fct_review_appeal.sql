-- Grain: one row per appeal.
with

appeal as (
    select * from {{ ref('int_current__review_appeal') }}
),

review_period as (
    select *
    from {{ ref('dim_period') }}
    where period_type = 'quarter'
),

member as (
    select * from {{ ref('dim_member') }}
),

final as (
    select
        appeal.appeal_id,
        appeal.member_id,
        appeal.period_id,
        appeal.criterion,
        appeal.reason,
        appeal.submitted_date,
        appeal.due_date,
        appeal.decided_date,
        appeal.decided_by_id,
        appeal.outcome,
        appeal.score_before,
        appeal.score_after,
        review_period.period_start,
        review_period.period_end,
        member.team as member_team,
        member.region as member_region,
        appeal.decided_date is not null as is_decided,
        {{ dbt.datediff('appeal.submitted_date', 'appeal.decided_date', 'day') }} as decision_days,
        appeal._source,
        appeal._source_file,
        appeal._delivery_id,
        appeal._row_number,
        appeal._row_part,
        appeal._received_date
    from appeal
    left join review_period on appeal.period_id = review_period.period_id
    left join member
        on
            appeal.member_id = member.member_id
            and review_period.period_end > member.valid_from
            and review_period.period_end <= member.valid_to
)

select * from final
