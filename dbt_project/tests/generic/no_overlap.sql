{% test no_overlap(model, key_columns, from_column='valid_from', to_column='valid_to') %}
{#- Fails for each validity window that is empty or begins before an earlier one of the same subject has ended. -#}
with

windows as (
    select
        {{ key_columns | join(', ') }},
        {{ from_column }},
        {{ to_column }},
        max({{ to_column }}) over (
            partition by {{ key_columns | join(', ') }}
            order by {{ from_column }} nulls last, {{ to_column }} nulls last
            rows between unbounded preceding and 1 preceding
        ) as latest_end_before
    from {{ model }}
)

select *
from windows
where {{ from_column }} >= {{ to_column }} or {{ from_column }} < latest_end_before
{% endtest %}
