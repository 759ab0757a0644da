{#-
    1 = the row that holds among all visible rows with one key: highest by the source's own version where it gives
    one, then received date, delivery, row, part. The order in which files were loaded plays no part.
-#}
{% macro winner_rank(key_columns, version_column=none) -%}
    row_number() over (
        partition by {{ key_columns | join(', ') }}
        order by
            {% if version_column %}{{ version_column }} desc nulls last,{% endif %}
            _received_date desc, _delivery_id desc, _row_number desc, _row_part desc
    )
{%- endmacro %}

{#-
    Exclusive end of a validity window: the stated end, cut at the start of the same subject's next row; open
    without either. Rows that never hold (end not after start) must be left out before, or they would cut others.
-#}
{% macro window_end(key_columns) -%}
    least(
        coalesce(valid_to, {{ open_end() }}),
        coalesce(lead(valid_from) over (partition by {{ key_columns | join(', ') }} order by valid_from), {{ open_end() }})
    )
{%- endmacro %}
