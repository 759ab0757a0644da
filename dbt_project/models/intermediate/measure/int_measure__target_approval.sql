-- Grain: one row per decision on a target and measure.
with

approval as (
    select * from {{ ref('fct_target_approval') }}
),

-- What is not decided has taken no time yet: it is in no mean.
final as (
    select
        approval_id as event_id,
        'target_approval_days' as measure_code,
        cast(null as string) as member_id,
        cast(null as string) as dealer_id,
        subject_team as team,
        cast(null as string) as region,
        cast(null as string) as product_category,
        decided_month_start as fiscal_month_start,
        decided_month_start as known_month_start,
        cast(working_day_count as decimal(18, 8)) as value
    from approval
    where decided_month_start is not null
)

select * from final
