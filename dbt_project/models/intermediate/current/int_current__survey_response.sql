-- Grain: one row per survey sent, answered or not.
with

response as (
    select
        *,
        {{ winner_rank(['response_id']) }} as winner_rank
    from {{ ref('stg_survey_responses') }}
),

final as (
    select
        response_id,
        survey,
        scale_min,
        scale_max,
        respondent_id,
        dealer_id,
        member_id,
        case_id,
        sent_date,
        answered_date,
        score,
        comment,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from response
    where winner_rank = 1
)

select * from final
