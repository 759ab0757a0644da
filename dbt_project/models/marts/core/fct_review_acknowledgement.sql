-- Grain: one row per result delivered to a member.
with

acknowledgement as (
    select * from {{ ref('int_current__review_acknowledgement') }}
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
        acknowledgement.acknowledgement_id,
        acknowledgement.member_id,
        acknowledgement.period_id,
        acknowledgement.delivered_by_id,
        acknowledgement.delivered_date,
        acknowledgement.acknowledged_date,
        acknowledgement.comment,
        review_period.period_start,
        review_period.period_end,
        member.team as member_team,
        member.region as member_region,
        {{ dbt.datediff('review_period.period_end', 'acknowledgement.delivered_date', 'day') }} as delivery_days,
        {{ dbt.datediff('acknowledgement.delivered_date', 'acknowledgement.acknowledged_date', 'day') }} as acknowledgement_days,
        acknowledgement._source,
        acknowledgement._source_file,
        acknowledgement._delivery_id,
        acknowledgement._row_number,
        acknowledgement._row_part,
        acknowledgement._received_date
    from acknowledgement
    left join review_period on acknowledgement.period_id = review_period.period_id
    left join member
        on
            acknowledgement.member_id = member.member_id
            and review_period.period_end > member.valid_from
            and review_period.period_end <= member.valid_to
)

select * from final
