{% test expression_is_true(model, expression, column_name=none) %}
{#- Fails for each row for which the expression is false or unknown. -#}
select *
from {{ model }}
where ({{ expression }}) is not true
{% endtest %}
