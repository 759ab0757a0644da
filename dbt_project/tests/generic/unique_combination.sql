{% test unique_combination(model, columns) %}
{#- Fails for each key that stands more than once (NULL counts as a value). -#}
select {{ columns | join(', ') }}, count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
