-- Grain: one row per fiscal month begun.
{{ remembered('fiscal_month_start') }}
{%- set columns = [
    'event_id', 'measure_code', 'member_id', 'dealer_id', 'team', 'region', 'product_category', 'known_month_start', 'value',
] %}
with

event as (
    select
        fiscal_month_start,
        {{ fingerprint(columns) }} as fingerprint
    from {{ ref('int_measure__event') }}
    group by fiscal_month_start
),

fiscal_month as (
    select *
    from {{ source('config', 'fiscal_month') }}
    where month_start < {{ built_until() }}
),

stated as (
    select
        fiscal_month.month_start as fiscal_month_start,
        coalesce(event.fingerprint, '') as fingerprint
    from fiscal_month
    left join event on fiscal_month.month_start = event.fiscal_month_start
),

final as (
    {{ changes_since_before('fiscal_month_start') }}
)

select * from final
