{#-
    An incremental model holds whole fiscal months: before it appends, the months to redo are deleted in the same
    transaction. The engine's delete+insert strategy would leave rows whose key has gone from the month.
-#}
{% macro delete_dirty_months() -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where fiscal_month_start in (select month_start from {{ source('meta', 'dirty_month') }})
    {%- endif -%}
{%- endmacro %}
