-- Grain: one row per request for support.
with

support_request as (
    select
        *,
        {{ winner_rank(['request_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_support_requests') }}
),

final as (
    select
        request_id,
        updated_at,
        member_id,
        dealer_id,
        kind,
        assignee_id,
        opened_at,
        first_response_at,
        closed_at,
        scale_min,
        scale_max,
        rating,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from support_request
    where winner_rank = 1
)

select * from final
