-- Grain: one row per request about wellbeing.
with

request as (
    select * from {{ ref('int_support__request') }}
),

final as (
    select
        request_id,
        updated_at,
        member_id,
        dealer_id,
        kind,
        assignee_id,
        assignee_team,
        opened_date,
        fiscal_month_start,
        closed_date,
        opened_at,
        first_response_at,
        closed_at,
        first_response_hours,
        resolution_hours,
        scale_min,
        scale_max,
        rating,
        rating_of_five,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from request
    where kind = 'wellbeing'
)

select * from final
