-- Grain: one row per service case.
with

service_case as (
    select
        *,
        {{ winner_rank(['case_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_service_cases') }}
),

final as (
    select
        case_id,
        updated_at,
        dealer_id,
        member_id,
        helper_id,
        category,
        channel,
        priority,
        transaction_id,
        product_id,
        opened_at,
        due_at,
        first_response_at,
        resolved_at,
        reopened_count,
        contact_count,
        quality_score,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from service_case
    where winner_rank = 1
)

select * from final
