{% test valid_key(model, columns) %}
{#-
    Fails for each key that stands more than once and for each key with a part that is NULL. Of a table that is kept by
    fiscal month or period it looks at those that this build redid: the others are what an earlier build looked at.
-#}
{%- set redone = rows_redone(model) %}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
{% if redone %}
where {{ redone }}
{% endif %}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}
{% endtest %}
