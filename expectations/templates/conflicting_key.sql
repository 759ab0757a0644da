-- Rows of one file that share key and change time but differ otherwise, so that nobody knows which one holds.
-- Key and change time (version) are the contract's. Only twins are looked at: all others have a key of their own.
{% set same = (key + [version] if version else key) | join(', ') %}
select _row_id
from (
    select
        _row_id,
        min(content) over same <> max(content) over same as differs
    from (
        select
            _row_id,
            _delivery_id,
            {{ same }},
            hash(*columns('^[^_]')) as content
        from {{ batch }} as d
        semi join twins using (_row_id)
        where {{ key | join(' is not null and ') }} is not null
    ) as e
    window same as (partition by _delivery_id, {{ same }})
) as f
where differs
