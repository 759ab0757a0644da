-- Rows without a key in files most of whose rows have none: such a file is not what it should be.
-- The key is the contract's.
{% set lacks_key = key | join(' is null or ') ~ ' is null' %}
select _row_id
from {{ batch }} as b
join (
    select _delivery_id
    from {{ batch }} as c
    group by _delivery_id
    having count(*) filter ({{ lacks_key }}) * 2 > count(*)
) as f using (_delivery_id)
where {{ lacks_key }}
