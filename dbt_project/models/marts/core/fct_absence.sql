-- Grain: one row per absence of a member.
with

absence as (
    select * from {{ ref('int_current__absence') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

final as (
    select
        absence.absence_id,
        absence.updated_at,
        absence.member_id,
        absence.kind,
        absence.valid_from,
        absence.valid_to,
        cast(coalesce(absence.absence_pct, 100) as decimal(9, 4)) as absence_pct,
        absence.is_paid,
        member.team as member_team,
        member.region as member_region,
        absence._source,
        absence._source_file,
        absence._delivery_id,
        absence._row_number,
        absence._row_part,
        absence._received_date
    from absence
    left join member
        on
            absence.member_id = member.member_id
            and absence.valid_from >= member.valid_from
            and absence.valid_from < member.valid_to
)

select * from final
