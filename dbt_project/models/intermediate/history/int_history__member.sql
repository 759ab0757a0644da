-- Grain: one row per member and validity window.
with

member as (
    select
        *,
        {{ winner_rank(['member_id', 'valid_from'], dated=true) }} as winner_rank
    from {{ ref('stg_team_members') }}
),

-- A row whose end is not after its start never held: it must not cut the window before it.
validity as (
    select
        member_id,
        valid_from,
        {{ window_end(['member_id']) }} as valid_to
    from member
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
),

final as (
    select
        member.member_id,
        validity.valid_from,
        validity.valid_to,
        member.member_name,
        member.role,
        member.grade,
        member.team,
        member.manager_id,
        member.region,
        member.hired_date,
        member.left_date,
        member.employment_pct,
        member.currency_code,
        member.base_pay_amount,
        member.gender,
        member.birth_year,
        member._source,
        member._source_file,
        member._delivery_id,
        member._row_number,
        member._row_part,
        member._received_date
    from member
    inner join validity
        on
            member.member_id = validity.member_id
            and member.valid_from = validity.valid_from
    where member.winner_rank = 1
)

select * from final
