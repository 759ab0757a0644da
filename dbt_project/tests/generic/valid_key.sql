{% test valid_key(model, columns) %}
{#-
    Fails for each key that stands more than once and for each key with a part that is NULL. Of a table that is kept by
    fiscal month it looks at the months that this build redid: the others are what an earlier build looked at.
-#}
{%- set dirty = months_redone(model) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
{% if dirty %}
where fiscal_month_start in (select month_start from {{ source('meta', dirty) }})
{% endif %}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
