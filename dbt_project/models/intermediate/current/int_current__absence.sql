-- Grain: one row per absence of a member.
with

absence as (
    select
        *,
        {{ winner_rank(['absence_id'], 'updated_at', dated=true) }} as winner_rank
    from {{ ref('stg_absences') }}
),

final as (
    select
        absence_id,
        updated_at,
        member_id,
        kind,
        valid_from,
        {{ stated_end() }} as valid_to,
        absence_pct,
        is_paid,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from absence
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
)

select * from final
