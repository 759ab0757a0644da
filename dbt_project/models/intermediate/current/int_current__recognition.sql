-- Grain: one row per award to a member.
with

recognition as (
    select
        *,
        {{ winner_rank(['recognition_id']) }} as winner_rank
    from {{ ref('stg_recognitions') }}
),

final as (
    select
        recognition_id,
        member_id,
        award,
        awarded_date,
        given_by_id,
        value_amount,
        currency_code,
        reason,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from recognition
    where winner_rank = 1
)

select * from final
