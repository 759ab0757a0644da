{#-
    Moments are UTC, days and hours are the company's. The zone is a column, company.time_zone.
-#}
{% macro local_time(moment, zone) -%}
    {{ return(adapter.dispatch('local_time', 'dealermart')(moment, zone)) }}
{%- endmacro %}

{% macro duckdb__local_time(moment, zone) -%}
    timezone({{ zone }}, timezone('UTC', {{ moment }}))
{%- endmacro %}

{% macro spark__local_time(moment, zone) -%}
    cast(from_utc_timestamp(cast({{ moment }} as timestamp), {{ zone }}) as timestamp_ntz)
{%- endmacro %}

{% macro local_date(moment, zone) -%}
    cast({{ local_time(moment, zone) }} as date)
{%- endmacro %}

{% macro second_of_day(moment) -%}
    {{ return(adapter.dispatch('second_of_day', 'dealermart')(moment)) }}
{%- endmacro %}

{% macro duckdb__second_of_day(moment) -%}
    (hour({{ moment }}) * 3600 + minute({{ moment }}) * 60 + cast(floor(second({{ moment }})) as bigint))
{%- endmacro %}

{% macro spark__second_of_day(moment) -%}
    (hour({{ moment }}) * 3600 + minute({{ moment }}) * 60 + cast(floor(second({{ moment }})) as bigint))
{%- endmacro %}

{#-
    Seconds of business up to a local moment, counted from the calendar's start: those of the working days before its
    day, and of its own day what lies between opening and the moment. `day` is the row of int_calendar__day of its day.
-#}
{% macro business_clock(moment, day, company) -%}
    (
        ({{ day }}.working_day_no - case when {{ day }}.is_working_day then 1 else 0 end)
        * ({{ company }}.closes_at_second - {{ company }}.opens_at_second)
        + case
            when {{ day }}.is_working_day
                then
                    least(
                        greatest({{ second_of_day(moment) }} - {{ company }}.opens_at_second, 0),
                        {{ company }}.closes_at_second - {{ company }}.opens_at_second
                    )
            else 0
        end
    )
{%- endmacro %}

{#- Business hours between two readings of business_clock, decimal(28,8); NULL where one of them is. -#}
{% macro clock_hours(from_clock, to_clock) -%}
    {{ exact_divide('(' ~ to_clock ~ ' - ' ~ from_clock ~ ')', '3600', 8) }}
{%- endmacro %}

{#- Instead of dbt-spark's, which goes by seconds since 1970, by the session's time zone: days are added to days here. -#}
{% macro spark__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- if datepart in ('day', 'week') -%}
        date_add(cast({{ from_date_or_timestamp }} as date), cast(({{ interval }}) * {{ 7 if datepart == 'week' else 1 }} as int))
    {%- else -%}
        add_months(
            cast({{ from_date_or_timestamp }} as date),
            cast(({{ interval }}) * {{ {'month': 1, 'quarter': 3, 'year': 12}[datepart] }} as int)
        )
    {%- endif -%}
{%- endmacro %}
