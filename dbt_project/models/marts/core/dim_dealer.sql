-- Grain: one row per dealer and validity window.
with

dealer as (
    select * from {{ ref('int_history__dealer') }}
),

final as (
    select
        dealer_id,
        valid_from,
        valid_to,
        valid_from <= {{ as_of_date() }} and valid_to > {{ as_of_date() }} as is_current,
        {{ latest_rank(['dealer_id']) }} = 1 as is_latest,
        dealer_name,
        dealer_type,
        tier,
        parent_dealer_id,
        region,
        country,
        city,
        currency_code,
        onboarded_date,
        status,
        credit_limit_amount,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from dealer
)

select * from final
