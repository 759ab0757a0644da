{#-
    The inputs of a build, from its environment: were they vars, dbt would parse the whole project anew for every moment.
    Parsing and linting go without them; a run that lacks one is refused.
-#}
{% macro required_input(name, example) -%}
    {%- set variable = "DEALERMART_" ~ name | upper -%}
    {%- set value = env_var(variable, "") if execute else example -%}
    {%- if not value -%}
        {{ exceptions.raise_compiler_error("the environment has no " ~ variable ~ ": set it, such as " ~ variable ~ "='" ~ example ~ "'") }}
    {%- endif -%}
    {{ value }}
{%- endmacro %}

{% macro as_of() -%}
    cast('{{ required_input("as_of", "2000-01-01 00:00:00") }}' as timestamp)
{%- endmacro %}

{#- The day of as_of where the company is. -#}
{% macro as_of_date() -%}
    cast('{{ required_input("as_of_date", "2000-01-01") }}' as date)
{%- endmacro %}

{#- The latest received date visible at as_of: what had not ended by then was not seen to its end. -#}
{% macro received_until() -%}
    cast('{{ required_input("received_until", "2000-01-01") }}' as date)
{%- endmacro %}

{% macro built_until() -%}
    cast('{{ required_input("period_end", "2000-01-01") }}' as date)
{%- endmacro %}

{% macro open_end() -%}
    cast('9999-12-31' as date)
{%- endmacro %}
