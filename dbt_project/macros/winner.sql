{#-
    1 = the row that holds among all visible rows with one key: highest by the source's own version where it gives
    one, then received date, delivery, row, part, source. The order in which files were loaded plays no part. Where the highest
    is a deletion, or a later snapshot of its source lacks the key, no row holds. Rows that hold from a day to a day
    (dated) end on that snapshot's day instead: stated_end says when.
-#}
{% macro winner_rank(key_columns, version_column=none, dated=false) -%}
    case
        when _is_deleted{% if not dated %} or _gone_date is not null{% endif %} then 0
        else row_number() over (
            partition by {{ key_columns | join(', ') }}
            order by
                {% if version_column %}{{ version_column }} desc nulls last,{% endif %}
                _received_date desc nulls last, _delivery_id desc nulls last, _row_number desc nulls last,
                _row_part desc nulls last, _source desc nulls last
        )
    end
{%- endmacro %}

{#- Exclusive end of a row by what its source says: the end it states, or the day of the first snapshot without it. -#}
{% macro stated_end() -%}
    least(coalesce(valid_to, {{ open_end() }}), coalesce(_gone_date, {{ open_end() }}))
{%- endmacro %}

{#-
    Exclusive end of a validity window: the stated end, cut at the start of the same subject's next row; open
    without either. Rows that never hold (end not after start) must be left out before, or they would cut others.
-#}
{% macro window_end(key_columns) -%}
    least(
        {{ stated_end() }},
        coalesce(lead(valid_from) over (partition by {{ key_columns | join(', ') }} order by valid_from nulls last), {{ open_end() }})
    )
{%- endmacro %}

{#-
    1 = the one row per key that a reader of today wants: the one in force or, where none is, the last that was. What
    lies ahead is first only where there is nothing else.
-#}
{% macro latest_rank(key_columns) -%}
    row_number() over (
        partition by {{ key_columns | join(', ') }}
        order by
            case when valid_from <= {{ as_of_date() }} then 0 else 1 end nulls last,
            case when valid_from <= {{ as_of_date() }} then valid_from end desc nulls last,
            valid_from nulls last
    )
{%- endmacro %}
