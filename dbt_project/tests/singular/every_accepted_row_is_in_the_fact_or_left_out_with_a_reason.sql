-- From the lake to the fact without any calendar: rows and amounts of every file are those of the fact and of the rows left out.
{%- set feeds = [('sales', 'fct_sale_line', 'net_amount'), ('payments', 'fct_payment', 'amount')] %}
with

both_sides as (
    {% for feed, fact, amount in feeds %}
        select
            '{{ feed }}' as feed,
            _source,
            _delivery_id,
            _source_file,
            1 as lake_count,
            0 as mart_count,
            {{ amount }} as lake_amount,
            0 as mart_amount
        from {{ source('lake', feed) }}
        where _ingested_at <= {{ as_of() }}

        {% for relation in [fact, fact ~ '_left_out'] %}
            union all

            select
                '{{ feed }}' as feed,
                _source,
                _delivery_id,
                _source_file,
                0 as lake_count,
                1 as mart_count,
                0 as lake_amount,
                {{ amount }} as mart_amount
            from {{ ref(relation) }}
        {% endfor %}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select
    feed,
    _source,
    _delivery_id,
    _source_file,
    sum(lake_count) as lake_rows,
    sum(mart_count) as mart_rows
from both_sides
group by feed, _source, _delivery_id, _source_file
having
    sum(lake_count) <> sum(mart_count)
    or sum(lake_amount) is distinct from sum(mart_amount)
