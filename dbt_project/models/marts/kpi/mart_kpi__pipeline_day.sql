-- Grain: one row per day of the last 400, owner (or nobody) and stage in which opportunities are open.
with

opportunity_stage as (
    select *
    from {{ ref('fct_opportunity_stage') }}
    where status = 'open'
),

calendar as (
    select *
    from {{ ref('int_calendar__day') }}
    where
        date_day <= least({{ as_of_date() }}, {{ received_until() }})
        and date_day > {{ dbt.dateadd('day', -400, as_of_date()) }}
),

company as (
    select * from {{ source('config', 'company') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

open_on_day as (
    select
        calendar.date_day,
        member.member_id,
        member.member_name,
        member.team,
        coalesce(opportunity_stage.stage, 'unknown') as stage,
        {{ multiply('opportunity_stage.amount', 'day_rate.rate') }} as amount_reporting,
        {{ multiply(
            multiply('opportunity_stage.amount', 'day_rate.rate'), 'opportunity_stage.probability_pct * 0.01'
        ) }} as weighted_amount_reporting
    from opportunity_stage
    inner join calendar
        on
            opportunity_stage.valid_from <= calendar.date_day
            and opportunity_stage.valid_to > calendar.date_day
    cross join company
    left join member
        on
            opportunity_stage.member_id = member.member_id
            and calendar.date_day >= member.valid_from
            and calendar.date_day < member.valid_to
    left join day_rate
        on
            opportunity_stage.currency_code = day_rate.currency_code
            and calendar.date_day = day_rate.date_day
            and company.fx_rate_type = day_rate.rate_type
),

final as (
    select
        date_day,
        coalesce(member_id, 'unassigned') as member_id,
        coalesce(min(member_name), 'unassigned') as member_name,
        min(team) as team,
        stage,
        count(*) as open_count,
        count(*) - count(amount_reporting) as unknown_amount_count,
        case
            when count(amount_reporting) > 0 then cast(sum(amount_reporting) as decimal(28, 8))
        end as open_amount,
        case
            when count(weighted_amount_reporting) > 0 then cast(sum(weighted_amount_reporting) as decimal(28, 8))
        end as weighted_amount
    from open_on_day
    group by coalesce(member_id, 'unassigned'), date_day, stage
)

select * from final
