-- Grain: one row per scenario, payee, plan, plan version and period in which the payee has the plan for a day or more.
{%- set key = ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'plan_version', 'period_id'] %}
with

plan_window as (
    select * from {{ ref('int_incentive__window') }}
),

assignment as (
    select * from {{ ref('int_incentive__assignment') }}
),

plan as (
    select * from {{ source('config', 'plan') }}
),

period as (
    select * from {{ ref('dim_period') }}
    where period_start < {{ built_until() }}
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

absence as (
    select * from {{ ref('fct_absence') }}
),

member_left as (
    select * from {{ ref('int_history__member_left') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

period_day as (
    select
        period.period_type,
        period.period_id,
        period.period_start,
        period.period_end,
        calendar.date_day,
        case when calendar.is_working_day then 1 else 0 end as working_days
    from period
    inner join calendar
        on
            period.period_start <= calendar.date_day
            and period.period_end > calendar.date_day
),

period_size as (
    select
        period_type,
        period_id,
        count(*) as days,
        sum(working_days) as working_days
    from period_day
    group by period_type, period_id
),

absent_day as (
    select
        absence.member_id,
        calendar.date_day,
        least(sum(absence.absence_pct), 100) as absent_pct,
        least(sum(case when absence.is_paid then 0 else absence.absence_pct end), 100) as unpaid_pct
    from absence
    inner join calendar
        on
            absence.valid_from <= calendar.date_day
            and coalesce(absence.valid_to, {{ open_end() }}) > calendar.date_day
    group by absence.member_id, calendar.date_day
),

planned_day as (
    select
        plan_window.scenario_id,
        plan_window.payee_type,
        plan_window.payee_id,
        plan_window.plan_id,
        plan_window.plan_version,
        period_day.period_id,
        plan_window.target_pay_amount,
        plan_window.currency_code,
        period_day.date_day,
        period_day.working_days,
        coalesce(absent_day.absent_pct, 0) as absent_pct,
        coalesce(absent_day.unpaid_pct, 0) as unpaid_pct
    from plan_window
    inner join plan
        on
            {{ same_key('plan_window', 'plan', plan_key()) }}
    inner join period_day
        on
            plan.period_type = period_day.period_type
            and plan_window.valid_from <= period_day.date_day
            and plan_window.valid_to > period_day.date_day
    left join absent_day
        on
            case when plan_window.payee_type = 'member' then plan_window.payee_id end = absent_day.member_id
            and period_day.date_day = absent_day.date_day
),

counted as (
    select
        {{ key | join(', ') }},
        min(date_day) as first_day,
        max(date_day) as last_day,
        count(*) as plan_days,
        sum(working_days) as plan_working_days,
        sum(cast(100 - absent_pct as decimal(18, 4))) as present_pct_days,
        sum(cast((100 - absent_pct) * working_days as decimal(18, 4))) as present_pct_working_days,
        sum(cast(target_pay_amount * (100 - unpaid_pct) * 0.01 as decimal(28, 8))) as target_pay_days_amount,
        count(target_pay_amount) as paid_days,
        min(currency_code) as currency_code,
        max(currency_code) as other_currency_code
    from planned_day
    group by {{ key | join(', ') }}
),

-- A month counts for the version that holds on its last day.
month_held as (
    select
        plan_window.scenario_id,
        plan_window.payee_type,
        plan_window.payee_id,
        plan_window.plan_id,
        plan_window.plan_version,
        case plan.period_type
            when 'month' then fiscal_month.month_id
            when 'quarter' then fiscal_month.quarter_id
            else fiscal_month.year_id
        end as period_id,
        count(*) as plan_months
    from plan_window
    inner join plan
        on
            {{ same_key('plan_window', 'plan', plan_key()) }}
    inner join fiscal_month
        on
            plan_window.valid_from < fiscal_month.month_end
            and plan_window.valid_to >= fiscal_month.month_end
    group by
        plan_window.scenario_id,
        plan_window.payee_type,
        plan_window.payee_id,
        plan_window.plan_id,
        plan_window.plan_version,
        case plan.period_type
            when 'month' then fiscal_month.month_id
            when 'quarter' then fiscal_month.quarter_id
            else fiscal_month.year_id
        end
),

due as (
    select
        counted.*,
        plan.plan_hash,
        plan.plan_file,
        plan.period_type,
        plan.target_pay_per,
        plan.currency_code as plan_currency_code,
        cast(null as string) as stopped_reason
    from counted
    inner join plan
        on
            {{ same_key('counted', 'plan', plan_key()) }}
),

covered as (
    select
        payee_type,
        payee_id,
        plan_id,
        period_id
    from due
    where scenario_id = 'paid'
    group by payee_type, payee_id, plan_id, period_id
),

known_plan as (
    select
        plan_id,
        min(payee_type) as payee_type,
        min(period_type) as period_type
    from plan
    where scenario_id = 'paid'
    group by plan_id
),

-- What is paid shows also who waits for a plan that cannot be applied: by the quarter, where the config does not know it.
stopped as (
    select
        assignment.payee_type,
        assignment.payee_id,
        assignment.plan_id,
        period.period_id,
        period.period_type,
        min(greatest(assignment.valid_from, period.period_start)) as first_day,
        max(case
            when known_plan.plan_id is null then 'the plan is not in config/plans'
            when known_plan.payee_type <> assignment.payee_type then 'the plan is not for payees of this type'
            when member_left.member_id is not null then 'left the company'
            else 'the plan does not hold in the period'
        end) as stopped_reason
    from assignment
    left join known_plan on assignment.plan_id = known_plan.plan_id
    inner join period
        on
            coalesce(known_plan.period_type, 'quarter') = period.period_type
            and assignment.valid_from < period.period_end
            and assignment.valid_to > period.period_start
    left join member_left
        on
            case when assignment.payee_type = 'member' then assignment.payee_id end = member_left.member_id
            and period.period_start >= member_left.left_from
            and period.period_end <= member_left.left_to
    left join covered
        on
            {{ same_key('assignment', 'covered', ['payee_type', 'payee_id', 'plan_id']) }}
            and period.period_id = covered.period_id
    where covered.payee_id is null
    group by
        assignment.payee_type,
        assignment.payee_id,
        assignment.plan_id,
        period.period_id,
        period.period_type
),

listed as (
    select
        {{ key | join(', ') }},
        plan_hash,
        plan_file,
        first_day,
        last_day,
        plan_days,
        plan_working_days,
        present_pct_days,
        present_pct_working_days,
        target_pay_days_amount,
        target_pay_per,
        paid_days,
        coalesce(plan_currency_code, currency_code) as currency_code,
        case
            when plan_currency_code is null and coalesce(currency_code, '') <> coalesce(other_currency_code, '')
                then 'the currency of the assignment changes within the period'
            when {{ is_too_fine('coalesce(plan_currency_code, currency_code)') }} then {{ too_fine_reason() }}
            else stopped_reason
        end as stopped_reason
    from due

    union all

    select
        'paid' as scenario_id,
        payee_type,
        payee_id,
        plan_id,
        0 as plan_version,
        period_id,
        cast(null as string) as plan_hash,
        cast(null as string) as plan_file,
        first_day,
        first_day as last_day,
        0 as plan_days,
        0 as plan_working_days,
        0 as present_pct_days,
        0 as present_pct_working_days,
        cast(null as decimal(28, 8)) as target_pay_days_amount,
        cast(null as string) as target_pay_per,
        0 as paid_days,
        cast(null as string) as currency_code,
        stopped_reason
    from stopped
),

final as (
    select
        listed.scenario_id,
        listed.payee_type,
        listed.payee_id,
        listed.plan_id,
        cast(listed.plan_version as integer) as plan_version,
        listed.plan_hash,
        listed.plan_file,
        listed.period_id,
        period.period_type,
        period.period_start,
        period.period_end,
        period.fiscal_year,
        period.is_complete,
        coalesce(listed.currency_code, company.reporting_currency_code) as currency_code,
        listed.first_day,
        listed.last_day,
        cast(row_number() over (
            partition by
                listed.scenario_id, listed.payee_type, listed.payee_id, listed.plan_id,
                case when listed.stopped_reason is null then 1 else 0 end
            order by period.period_start nulls last, listed.first_day nulls last
        ) as integer) as period_no,
        cast(listed.plan_days as integer) as plan_days,
        cast(period_size.days as integer) as period_days,
        cast(listed.plan_working_days as integer) as plan_working_days,
        cast(period_size.working_days as integer) as period_working_days,
        cast(coalesce(month_held.plan_months, 0) as integer) as plan_months,
        cast(case period.period_type when 'month' then 1 when 'quarter' then 3 else 12 end as integer) as period_months,
        cast(listed.present_pct_days as decimal(18, 4)) as present_pct_days,
        cast(listed.present_pct_working_days as decimal(18, 4)) as present_pct_working_days,
        cast(count(*) over (
            partition by listed.scenario_id, listed.payee_type, listed.payee_id, listed.plan_id, listed.period_id
        ) as integer) as version_count,
        -- The pay of a year is that of its months; the days without the plan, or on unpaid leave, are taken off. Where the
        -- assignment of a day states none, that of the period is not known.
        case
            when listed.paid_days > 0 and listed.paid_days = listed.plan_days
                then {{ exact_divide(
                    "listed.target_pay_days_amount * case when listed.target_pay_per = 'year' then"
                    ~ " case period.period_type when 'month' then 1 when 'quarter' then 3 else 12 end else 12 end",
                    'period_size.days * 12', 8
                ) }}
        end as target_pay_amount,
        coalesce(member_left.member_id is not null, false) as is_left_at_end,
        member.team,
        coalesce(member.region, dealer.region) as region,
        listed.stopped_reason
    from listed
    cross join company
    inner join period on listed.period_id = period.period_id
    inner join period_size on listed.period_id = period_size.period_id
    left join month_held
        on
            {{ same_key('listed', 'month_held', payee_key(['period_id'])) }}
    left join member_left
        on
            case when listed.payee_type = 'member' then listed.payee_id end = member_left.member_id
            and period.period_end > member_left.left_from
            and period.period_end <= member_left.left_to
    left join member
        on
            case when listed.payee_type = 'member' then listed.payee_id end = member.member_id
            and listed.last_day >= member.valid_from
            and listed.last_day < member.valid_to
    left join dealer
        on
            case when listed.payee_type = 'dealer' then listed.payee_id end = dealer.dealer_id
            and listed.last_day >= dealer.valid_from
            and listed.last_day < dealer.valid_to
)

select * from final
