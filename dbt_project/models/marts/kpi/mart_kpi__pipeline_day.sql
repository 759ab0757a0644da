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

currency as (
    select coalesce(currency_code, 'unknown') as currency_code
    from opportunity_stage
    group by coalesce(currency_code, 'unknown')
),

-- Days without a rate are here too, with none.
rated_day as (
    select
        currency.currency_code,
        calendar.date_day,
        day_rate.rate,
        lag(day_rate.rate) over (
            partition by currency.currency_code order by calendar.date_day nulls last
        ) as rate_before
    from currency
    cross join calendar
    cross join company
    left join day_rate
        on
            currency.currency_code = day_rate.currency_code
            and calendar.date_day = day_rate.date_day
            and company.fx_rate_type = day_rate.rate_type
),

run_day as (
    select
        currency_code,
        date_day,
        rate,
        sum(case when rate is distinct from rate_before then 1 else 0 end) over (
            partition by currency_code order by date_day nulls last
            rows between unbounded preceding and current row
        ) as run_no
    from rated_day
),

rate_run as (
    select
        currency_code,
        run_no,
        rate,
        min(date_day) as first_day,
        max(date_day) as last_day
    from run_day
    group by currency_code, run_no, rate
),

-- An amount is converted once for all days in a row that have one rate: an opportunity is open for hundreds.
converted as (
    select
        opportunity_stage.member_id,
        opportunity_stage.valid_from,
        opportunity_stage.valid_to,
        opportunity_stage.probability_pct,
        rate_run.currency_code,
        rate_run.run_no,
        coalesce(opportunity_stage.stage, 'unknown') as stage,
        {{ multiply('opportunity_stage.amount', 'rate_run.rate') }} as amount_reporting
    from opportunity_stage
    inner join rate_run
        on
            coalesce(opportunity_stage.currency_code, 'unknown') = rate_run.currency_code
            and opportunity_stage.valid_from <= rate_run.last_day
            and opportunity_stage.valid_to > rate_run.first_day
),

weighted as (
    select
        *,
        {{ multiply('amount_reporting', 'probability_pct * 0.01') }} as weighted_amount_reporting
    from converted
),

open_on_day as (
    select
        run_day.date_day,
        member.member_id,
        weighted.stage,
        weighted.amount_reporting,
        weighted.weighted_amount_reporting
    from weighted
    inner join run_day
        on
            weighted.currency_code = run_day.currency_code
            and weighted.run_no = run_day.run_no
            and weighted.valid_from <= run_day.date_day
            and weighted.valid_to > run_day.date_day
    left join member
        on
            weighted.member_id = member.member_id
            and run_day.date_day >= member.valid_from
            and run_day.date_day < {{ employed_until('member') }}
),

summed as (
    select
        date_day,
        coalesce(member_id, '{{ unassigned() }}') as member_id,
        stage,
        count(*) as open_count,
        count(*) - count(amount_reporting) as unknown_amount_count,
        count(amount_reporting) - count(weighted_amount_reporting) as unknown_probability_count,
        case
            when count(amount_reporting) > 0 then cast(sum(amount_reporting) as decimal(28, 8))
        end as open_amount,
        case
            when count(weighted_amount_reporting) > 0 then cast(sum(weighted_amount_reporting) as decimal(28, 8))
        end as weighted_amount
    from open_on_day
    group by coalesce(member_id, '{{ unassigned() }}'), date_day, stage
),

final as (
    select
        summed.date_day,
        summed.member_id,
        coalesce(member.member_name, '{{ unassigned() }}') as member_name,
        member.team,
        summed.stage,
        summed.open_count,
        summed.unknown_amount_count,
        summed.unknown_probability_count,
        summed.open_amount,
        summed.weighted_amount,
        company.reporting_currency_code as currency_code
    from summed
    cross join company
    left join member
        on
            summed.member_id = member.member_id
            and summed.date_day >= member.valid_from
            and summed.date_day < {{ employed_until('member') }}
)

select * from final
