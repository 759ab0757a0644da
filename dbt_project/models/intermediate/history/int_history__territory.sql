-- Grain: one row per territory, dealer or member in it, and validity window.
with

territory as (
    select
        *,
        {{ winner_rank(['territory_id', 'subject_type', 'subject_id', 'valid_from'], dated=true) }} as winner_rank
    from {{ ref('stg_territories') }}
),

-- A row whose end is not after its start never held: it must not cut the window before it.
validity as (
    select
        territory_id,
        subject_type,
        subject_id,
        valid_from,
        {{ window_end(['territory_id', 'subject_type', 'subject_id']) }} as valid_to
    from territory
    where
        winner_rank = 1
        and {{ stated_end() }} > valid_from
),

final as (
    select
        territory.territory_id,
        territory.territory_name,
        territory.region,
        territory.subject_type,
        territory.subject_id,
        validity.valid_from,
        validity.valid_to,
        cast(coalesce(territory.share_pct, 100) as decimal(9, 4)) as share_pct,
        territory._source,
        territory._source_file,
        territory._delivery_id,
        territory._row_number,
        territory._row_part,
        territory._received_date
    from territory
    inner join validity
        on
            territory.territory_id = validity.territory_id
            and territory.subject_type = validity.subject_type
            and territory.subject_id = validity.subject_id
            and territory.valid_from = validity.valid_from
    where territory.winner_rank = 1
)

select * from final
