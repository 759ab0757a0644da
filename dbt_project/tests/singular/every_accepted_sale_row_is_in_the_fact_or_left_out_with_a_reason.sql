-- From the lake to the fact without any calendar: rows and amounts of every file are those of the fact and of the rows left out.
with

lake as (
    select
        _source,
        _delivery_id,
        _source_file,
        1 as lake_count,
        0 as mart_count,
        net_amount as lake_amount,
        0 as mart_amount
    from {{ source('lake', 'sales') }}
    where _ingested_at <= {{ as_of() }}
),

mart as (
    {% for relation in ['fct_sale_line', 'fct_sale_line_left_out'] %}
        select
            _source,
            _delivery_id,
            _source_file,
            0 as lake_count,
            1 as mart_count,
            0 as lake_amount,
            net_amount as mart_amount
        from {{ ref(relation) }}
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

both_sides as (
    select * from lake

    union all

    select * from mart
)

select
    _source,
    _delivery_id,
    _source_file,
    sum(lake_count) as lake_rows,
    sum(mart_count) as mart_rows
from both_sides
group by _source, _delivery_id, _source_file
having
    sum(lake_count) <> sum(mart_count)
    or sum(lake_amount) is distinct from sum(mart_amount)
