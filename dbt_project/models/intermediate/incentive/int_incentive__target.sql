-- Grain: one row per scenario, payee, plan, plan version, component and period.
{%- set key = ['scenario_id', 'payee_type', 'payee_id', 'plan_id', 'plan_version', 'component_id', 'period_id'] %}
with

payee_period as (
    select *
    from {{ ref('int_incentive__payee_period') }}
    where stopped_reason is null
),

component as (
    select * from {{ source('config', 'plan_component') }}
),

ramp as (
    select * from {{ source('config', 'plan_ramp') }}
),

season as (
    select * from {{ source('config', 'plan_season') }}
),

target as (
    select * from {{ ref('int_kpi__target') }}
    where refused_reason is null
),

fiscal_month as (
    select * from {{ source('config', 'fiscal_month') }}
),

fiscal_year as (
    select
        fiscal_year,
        year_start,
        year_end
    from fiscal_month
    group by fiscal_year, year_start, year_end
),

company as (
    select * from {{ source('config', 'company') }}
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

base_event as (
    select * from {{ ref('int_incentive__event') }}
    where event_kind = 'last_year'
),

eligible as (
    select
        payee_period.scenario_id,
        payee_period.payee_type,
        payee_period.payee_id,
        payee_period.plan_id,
        payee_period.plan_version,
        component.component_id,
        payee_period.period_id,
        payee_period.period_type,
        payee_period.period_start,
        payee_period.period_end,
        payee_period.fiscal_year,
        payee_period.period_no,
        payee_period.currency_code,
        payee_period.target_pay_amount,
        payee_period.plan_days,
        payee_period.period_days,
        payee_period.present_pct_days,
        payee_period.present_pct_working_days,
        payee_period.period_working_days,
        payee_period.plan_months,
        payee_period.period_months,
        payee_period.version_count,
        fiscal_year.year_start,
        fiscal_year.year_end,
        component.target_kind,
        component.target_metric,
        component.target_product_category,
        component.target_value as stated_value,
        component.target_factor,
        component.prorate,
        component.accumulate,
        component.measure,
        case component.target_subject
            when 'team' then 'team'
            when 'region' then 'region'
            else payee_period.payee_type
        end as subject_type,
        case component.target_subject
            when 'team' then payee_period.team
            when 'region' then payee_period.region
            else payee_period.payee_id
        end as subject_id
    from payee_period
    inner join component
        on
            {{ same_key('payee_period', 'component', plan_key()) }}
    inner join fiscal_year on payee_period.fiscal_year = fiscal_year.fiscal_year
),

-- Seasons share out the target of the year: a quarter's weight is its months' in equal parts, and the other way round.
weighed as (
    select
        eligible.scenario_id,
        eligible.payee_type,
        eligible.payee_id,
        eligible.plan_id,
        eligible.plan_version,
        eligible.component_id,
        eligible.period_id,
        sum(
            case
                when fiscal_month.month_start >= eligible.period_start and fiscal_month.month_start < eligible.period_end
                    then season.weight
                else 0
            end
        ) as period_weight,
        sum(season.weight) as year_weight
    from eligible
    inner join fiscal_month on eligible.fiscal_year = fiscal_month.fiscal_year
    inner join season
        on
            {{ same_key('eligible', 'season', plan_key(['component_id'])) }}
            and season.part_no = case
                when season.part_type = 'quarter' then fiscal_month.fiscal_quarter_no
                else fiscal_month.fiscal_month_no
            end
    group by
        eligible.scenario_id,
        eligible.payee_type,
        eligible.payee_id,
        eligible.plan_id,
        eligible.plan_version,
        eligible.component_id,
        eligible.period_id
),

matched as (
    select
        eligible.scenario_id,
        eligible.payee_type,
        eligible.payee_id,
        eligible.plan_id,
        eligible.plan_version,
        eligible.component_id,
        eligible.period_id,
        target.target_id,
        target.valid_from,
        target.valid_to,
        day_rate.rate as pay_rate,
        case
            when not target.is_amount and target.unit = 'percent' then cast(target.target_value * 0.01 as decimal(28, 8))
            when not target.is_amount then cast(target.target_value as decimal(28, 8))
            when target.unit = eligible.currency_code then cast(target.target_value as decimal(28, 8))
            when eligible.currency_code = company.reporting_currency_code then target.target_value_reporting
            else {{ exact_divide('target.target_value_reporting', 'day_rate.rate', 8) }}
        end as target_value,
        target.valid_from >= eligible.period_start and target.valid_to <= eligible.period_end as is_inside,
        target.valid_from = eligible.period_start and target.valid_to = eligible.period_end as is_whole_period,
        target.valid_from = eligible.year_start and target.valid_to = eligible.year_end as is_whole_year
    from eligible
    cross join company
    inner join target
        on
            eligible.subject_type = target.subject_type
            and eligible.subject_id = target.subject_id
            and eligible.target_metric = target.metric
            and coalesce(eligible.target_product_category, '') = coalesce(target.product_category, '')
            and eligible.period_start < target.valid_to
            and eligible.period_end > target.valid_from
    left join day_rate
        on
            eligible.currency_code = day_rate.currency_code
            and target.valid_from = day_rate.date_day
            and company.plan_fx_rate_type = day_rate.rate_type
    where eligible.target_kind = 'metric'
),

-- A target of the period itself stands for it: the months that it was cut into must not be added to it.
ranked as (
    select
        matched.*,
        weighed.year_weight is not null as is_seasonal,
        max(case when matched.is_whole_period then 1 else 0 end)
            over (partition by {{ columns_of('matched', key) }})
            as has_whole_period,
        max(case when matched.is_inside then 1 else 0 end)
            over (partition by {{ columns_of('matched', key) }})
            as has_inside
    from matched
    left join weighed
        on
            {{ same_key('matched', 'weighed', payee_key(['component_id', 'period_id'])) }}
),

chosen as (
    select
        *,
        valid_from < max(valid_to) over (
            partition by {{ key | join(', ') }}
            order by valid_from nulls last, valid_to nulls last, target_id nulls last
            rows between unbounded preceding and 1 preceding
        ) as is_overlapping
    from ranked
    where case
        when is_seasonal then is_whole_year
        when has_whole_period = 1 then is_whole_period
        when has_inside = 1 then is_inside
        else is_whole_year
    end
),

summed as (
    select
        {{ key | join(', ') }},
        cast(sum(target_value) as decimal(28, 8)) as target_value,
        {{ ordered_list('target_id', "', '", 'target_id') }} as target_ids,
        count(*) - count(target_value) as unconverted_count,
        sum(case when is_overlapping then 1 else 0 end) as overlapping_count,
        -- The target of the year, where neither seasons nor targets of its periods cut it.
        max(case when is_inside or is_seasonal then 0 else 1 end) as is_of_year
    from chosen
    group by {{ key | join(', ') }}
),

reaching as (
    select {{ key | join(', ') }}
    from matched
    where not is_inside
    group by {{ key | join(', ') }}
),

last_year as (
    select
        {{ key | join(', ') }},
        cast(sum(measure_amount) as decimal(28, 8)) as target_value,
        count(*) - count(measure_amount) as unconverted_count
    from base_event
    where is_first_rule
    group by {{ key | join(', ') }}
),

stated as (
    select
        eligible.*,
        summed.target_ids,
        coalesce(summed.is_of_year, 0) = 1 as is_of_year,
        weighed.period_weight,
        weighed.year_weight,
        case eligible.target_kind
            when 'metric' then summed.target_value
            when 'value' then eligible.stated_value
            when 'last_year' then {{ multiply('last_year.target_value', 'coalesce(eligible.target_factor, 1)') }}
        end as full_value,
        case
            when eligible.target_kind = 'metric' and summed.unconverted_count > 0 then 'there is no plan rate for a target'
            when eligible.target_kind = 'metric' and summed.overlapping_count > 0 then 'targets of the period overlap'
            when last_year.unconverted_count > 0 then 'there is no plan rate for a sale of last year'
        end as held_reason,
        case
            when eligible.target_kind is null then cast(null as string)
            when eligible.target_kind = 'last_year' and coalesce(last_year.target_value, 0) = 0 then 'there was nothing last year'
            when eligible.target_kind <> 'metric' or summed.period_id is not null then cast(null as string)
            when reaching.period_id is not null then 'the window of the target reaches beyond the period'
            else 'there is no target in the period'
        end as missing_reason
    from eligible
    left join summed
        on
            {{ same_key('eligible', 'summed', payee_key(['component_id', 'period_id'])) }}
    left join reaching
        on
            {{ same_key('eligible', 'reaching', payee_key(['component_id', 'period_id'])) }}
    left join weighed
        on
            {{ same_key('eligible', 'weighed', payee_key(['component_id', 'period_id'])) }}
    left join last_year
        on
            {{ same_key('eligible', 'last_year', payee_key(['component_id', 'period_id'])) }}
),

-- What of the period counts: the whole period is the denominator, and leave is taken off.
factored as (
    select
        stated.*,
        cast(case
            when stated.held_reason is not null or stated.missing_reason is not null then null
            when stated.year_weight is not null
                then {{ exact_divide('stated.full_value * stated.period_weight', 'stated.year_weight', 8) }}
            else stated.full_value
        end as decimal(28, 8)) as period_value,
        cast(case stated.prorate
            when 'calendar_days' then stated.present_pct_days
            when 'working_days' then stated.present_pct_working_days
            when 'months' then stated.plan_months
            else 1
        end as decimal(18, 4)) as share_numerator,
        cast(case stated.prorate
            when 'calendar_days' then stated.period_days * 100
            when 'working_days' then stated.period_working_days * 100
            when 'months' then stated.period_months
            when 'equal' then stated.version_count
            else 1
        end as decimal(18, 4)) as share_denominator,
        coalesce(ramp.factor, 1) as ramp_factor
    from stated
    left join ramp
        on
            {{ same_key('stated', 'ramp', plan_key(['component_id', 'period_no'])) }}
),

prorated as (
    select
        *,
        case
            when share_numerator = share_denominator or (is_of_year and accumulate = 'year_to_date')
                then {{ multiply('period_value', 'ramp_factor') }}
            when share_denominator = 0 then cast(0 as decimal(28, 8))
            else {{ multiply(
                '(' ~ exact_divide('period_value * share_numerator', 'share_denominator', 8) ~ ')', 'ramp_factor'
            ) }}
        end as target_value
    from factored
),

-- Year to date the targets of the periods add up, like what is set against them; so does target pay, where that of all is known.
accumulated as (
    select
        *,
        cast(case
            when accumulate <> 'year_to_date' or is_of_year then target_value
            else sum(target_value) over year_so_far
        end as decimal(28, 8)) as accumulated_value,
        cast(case
            when accumulate <> 'year_to_date' then target_pay_amount
            -- Against the target of the whole year stands the pay of the whole year.
            when is_of_year then {{ exact_divide('target_pay_amount * 12', 'period_months', 8) }}
            when count(*) over year_so_far = count(target_pay_amount) over year_so_far
                then sum(target_pay_amount) over year_so_far
        end as decimal(28, 8)) as accumulated_pay_amount
    from prorated
    window year_so_far as (
        partition by scenario_id, payee_type, payee_id, plan_id, component_id, fiscal_year
        order by period_start nulls last, plan_version nulls last
        rows between unbounded preceding and current row
    )
),

final as (
    select
        {{ key | join(', ') }},
        period_type,
        period_start,
        period_end,
        fiscal_year,
        currency_code,
        target_ids,
        full_value,
        cast(period_value as decimal(28, 8)) as period_value,
        share_numerator,
        share_denominator,
        cast(ramp_factor as decimal(18, 8)) as ramp_factor,
        cast(accumulated_value as decimal(28, 8)) as target_value,
        accumulated_pay_amount as target_pay_amount,
        case
            when held_reason is not null then 'held'
            when missing_reason is not null or accumulated_value <= 0 then 'not_paid'
            else 'ok'
        end as status,
        case
            when held_reason is not null then held_reason
            when missing_reason is not null then missing_reason
            when accumulated_value = 0 then 'the target is zero'
            when accumulated_value < 0 then 'the target is negative'
        end as reason
    from accumulated
)

select * from final
