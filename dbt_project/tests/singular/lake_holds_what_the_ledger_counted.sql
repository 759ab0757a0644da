-- Per delivery and feed: rows in the lake = accepted rows + exact duplicates of the ledger, as far as visible at as_of.
with

ledger as (
    select
        feed,
        delivery_id,
        sum(accepted + duplicate) as ledger_count
    from {{ source('lake', 'ledger') }}
    where
        status = 'accepted'
        and ingested_at <= {{ as_of() }}
        and feed not like '%.%' -- a reference of a source is named source.table; it is no feed
    group by feed, delivery_id
),

lake as (
    {% for feed in feeds() %}
        select
            '{{ feed }}' as feed,
            _delivery_id as delivery_id,
            count(*) as lake_count
        from {{ source('lake', feed) }}
        where _ingested_at <= {{ as_of() }}
        group by _delivery_id
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
)

select
    coalesce(ledger.feed, lake.feed) as feed,
    coalesce(ledger.delivery_id, lake.delivery_id) as delivery_id,
    ledger.ledger_count,
    lake.lake_count
from ledger
full outer join lake
    on
        ledger.feed = lake.feed
        and ledger.delivery_id = lake.delivery_id
where coalesce(ledger.ledger_count, 0) <> coalesce(lake.lake_count, 0)
