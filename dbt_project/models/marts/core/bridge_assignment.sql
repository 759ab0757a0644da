-- Grain: one row per dealer, member, role and validity window.
with

assignment as (
    select * from {{ ref('int_history__assignment') }}
),

final as (
    select
        dealer_id,
        member_id,
        role,
        valid_from,
        valid_to,
        split_pct,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from assignment
)

select * from final
