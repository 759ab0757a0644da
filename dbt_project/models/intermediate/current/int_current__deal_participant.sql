-- Grain: one row per deal and member.
with

participant as (
    select
        *,
        {{ winner_rank(['deal_type', 'deal_id', 'member_id']) }} as winner_rank
    from {{ ref('stg_deal_participants') }}
),

final as (
    select
        deal_type,
        deal_id,
        crm_system,
        member_id,
        role,
        contribution_pct,
        joined_date,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from participant
    where winner_rank = 1
)

select * from final
