-- Grain: one row per dealer, member, role and validity window.
with

assignment as (
    select
        *,
        {{ winner_rank(['dealer_id', 'member_id', 'role', 'valid_from'], dated=true) }} as winner_rank
    from {{ ref('stg_assignments') }}
),

-- A row whose end is not after its start never held: it must not cut the window before it.
validity as (
    select
        dealer_id,
        member_id,
        role,
        valid_from,
        {{ window_end(['dealer_id', 'member_id', 'role']) }} as valid_to
    from assignment
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
),

final as (
    select
        assignment.dealer_id,
        assignment.member_id,
        assignment.role,
        validity.valid_from,
        validity.valid_to,
        assignment.split_pct,
        assignment._source,
        assignment._source_file,
        assignment._delivery_id,
        assignment._row_number,
        assignment._row_part,
        assignment._received_date
    from assignment
    inner join validity
        on
            assignment.dealer_id = validity.dealer_id
            and assignment.member_id = validity.member_id
            and assignment.role = validity.role
            and assignment.valid_from = validity.valid_from
    where assignment.winner_rank = 1
)

select * from final
