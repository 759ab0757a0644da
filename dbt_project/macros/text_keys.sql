{#- A text without case, spaces and signs, to find what is written twice in two ways; NULL where nothing is left. -#}
{% macro letters_and_digits(value) -%}
    {{ return(adapter.dispatch('letters_and_digits', 'dealermart')(value)) }}
{%- endmacro %}

{% macro duckdb__letters_and_digits(value) -%}
    nullif(regexp_replace(lower({{ value }}), '[^\p{L}\p{N}]', '', 'g'), '')
{%- endmacro %}

{% macro spark__letters_and_digits(value) -%}
    nullif(regexp_replace(lower({{ value }}), '[^\\p{L}\\p{N}]', ''), '')
{%- endmacro %}

{#- An address on the web without its protocol and www. -#}
{% macro website_name(value) -%}
    {{ return(adapter.dispatch('website_name', 'dealermart')(value)) }}
{%- endmacro %}

{% macro duckdb__website_name(value) -%}
    regexp_replace(lower(trim({{ value }})), '^(https?://)?(www\.)?', '')
{%- endmacro %}

{% macro spark__website_name(value) -%}
    regexp_replace(lower(trim({{ value }})), '^(https?://)?(www\\.)?', '')
{%- endmacro %}
