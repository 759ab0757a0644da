-- Grain: one row per promotion in force by the day of as_of.
with

career_event as (
    select * from {{ ref('fct_career_event') }}
),

final as (
    select
        career_event_id as event_id,
        'promotion' as measure_code,
        member_id,
        cast(null as string) as dealer_id,
        member_team as team,
        member_region as region,
        cast(null as string) as product_category,
        fiscal_month_start,
        fiscal_month_start as known_month_start,
        cast(1 as decimal(18, 8)) as value
    from career_event
    where
        kind = 'promotion'
        and fiscal_month_start is not null
        and effective_date <= {{ as_of_date() }}
)

select * from final
