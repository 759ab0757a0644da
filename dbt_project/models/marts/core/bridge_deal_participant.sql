-- Grain: one row per deal (opportunity or sales document) and member who took part in it.
with

participant as (
    select * from {{ ref('int_current__deal_participant') }}
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
)

select * from final
