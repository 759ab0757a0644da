-- Grain: one row per dealer and validity window.
with

dealer as (
    select
        *,
        {{ winner_rank(['dealer_id', 'valid_from'], dated=true) }} as winner_rank
    from {{ ref('stg_dealers') }}
),

-- A row whose end is not after its start never held: it must not cut the window before it.
validity as (
    select
        dealer_id,
        valid_from,
        {{ window_end(['dealer_id']) }} as valid_to
    from dealer
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
),

final as (
    select
        dealer.dealer_id,
        validity.valid_from,
        validity.valid_to,
        dealer.dealer_name,
        dealer.dealer_type,
        dealer.tier,
        dealer.parent_dealer_id,
        dealer.region,
        dealer.country,
        dealer.city,
        dealer.currency_code,
        dealer.onboarded_date,
        dealer.status,
        dealer.credit_limit_amount,
        dealer._source,
        dealer._source_file,
        dealer._delivery_id,
        dealer._row_number,
        dealer._row_part,
        dealer._received_date
    from dealer
    inner join validity
        on
            dealer.dealer_id = validity.dealer_id
            and dealer.valid_from = validity.valid_from
    where dealer.winner_rank = 1
)

select * from final
