-- Grain: one row per quarter, measure, dimension and group.
with

result as (
    select * from {{ ref('int_review__result') }}
),

due as (
    select * from {{ ref('int_review__member_quarter') }}
),

company as (
    select * from {{ source('config', 'company') }}
),

top_rating as (
    select * from {{ source('config', 'top_rating') }}
),

kpi_value as (
    select *
    from {{ ref('int_kpi__subject_period') }}
    where
        period_type = 'quarter'
        and subject_type = 'member'
        and kpi_code in ('attainment_pct', 'target_to_potential_pct')
        and value is not null
),

payout as (
    select *
    from {{ ref('mart_incentive__payout') }}
    where
        scenario_id = 'paid'
        and payee_type = 'member'
        and is_complete
),

day_rate as (
    select * from {{ ref('int_fx__day_rate') }}
),

promotion as (
    select *
    from {{ ref('fct_career_event') }}
    where kind = 'promotion'
),

-- Years of employment at the quarter's end: by the day on which so many years are full.
placed as (
    select
        member_id,
        period_id,
        period_start,
        period_end,
        template_id,
        region,
        team,
        nullif(trim(gender), '') as gender,
        case
            when hired_date is null then null
            when cast({{ dbt.dateadd('year', 1, 'hired_date') }} as date) > period_end then 'under_1'
            when cast({{ dbt.dateadd('year', 3, 'hired_date') }} as date) > period_end then 'from_1_to_3'
            when cast({{ dbt.dateadd('year', 5, 'hired_date') }} as date) > period_end then 'from_3_to_5'
            else 'from_5'
        end as tenure
    from due
),

-- Amounts of several currencies are held against each other in the reporting currency at the rate of the last day paid for.
paid as (
    select
        placed.member_id,
        placed.period_id,
        sum({{ multiply('payout.amount', 'day_rate.rate') }}) as amount,
        count(*) as payout_count,
        count(day_rate.rate) as rate_count
    from placed
    inner join payout
        on
            placed.member_id = payout.payee_id
            and placed.period_start < payout.period_end
            and placed.period_end >= payout.period_end
    cross join company
    left join day_rate
        on
            company.plan_fx_rate_type = day_rate.rate_type
            and payout.currency_code = day_rate.currency_code
            and {{ dbt.dateadd('day', -1, 'payout.period_end') }} = day_rate.date_day
    group by placed.member_id, placed.period_id
),

promoted as (
    select distinct
        placed.member_id,
        placed.period_id
    from placed
    inner join promotion
        on
            placed.member_id = promotion.member_id
            and placed.period_start <= promotion.effective_date
            and placed.period_end > promotion.effective_date
),

measured as (
    select
        member_id,
        period_id,
        'pay' as measure,
        'median' as statistic,
        'currency' as unit,
        cast(amount as decimal(28, 8)) as value
    from paid
    where payout_count = rate_count

    union all

    select
        member_id,
        period_id,
        'rating' as measure,
        'mean' as statistic,
        'score' as unit,
        cast(final_score as decimal(28, 8)) as value
    from result
    where final_score is not null

    union all

    select
        subject_id as member_id,
        period_id,
        case kpi_code when 'attainment_pct' then 'attainment' else 'target_to_potential' end as measure,
        'mean' as statistic,
        'share' as unit,
        value
    from kpi_value

    union all

    select
        subject_id as member_id,
        period_id,
        'reached_target' as measure,
        'selection' as statistic,
        'share' as unit,
        cast(case when value >= 1 then 1 else 0 end as decimal(28, 8)) as value
    from kpi_value
    where kpi_code = 'attainment_pct'

    union all

    select
        result.member_id,
        result.period_id,
        'top_rating' as measure,
        'selection' as statistic,
        'share' as unit,
        cast(case when top_rating.rating is not null then 1 else 0 end as decimal(28, 8)) as value
    from result
    left join top_rating on result.final_rating = top_rating.rating
    where result.final_rating is not null

    union all

    select
        placed.member_id,
        placed.period_id,
        'promoted' as measure,
        'selection' as statistic,
        'share' as unit,
        cast(case when promoted.member_id is not null then 1 else 0 end as decimal(28, 8)) as value
    from placed
    left join promoted
        on
            placed.member_id = promoted.member_id
            and placed.period_id = promoted.period_id
),

grouped as (
    {% for dimension in ['region', 'team', 'tenure', 'gender'] %}
        select
            placed.period_id,
            placed.period_start,
            measured.measure,
            measured.statistic,
            measured.unit,
            '{{ dimension }}' as dimension,
            placed.{{ dimension }} as group_id,
            measured.value
        from placed
        inner join measured
            on
                placed.member_id = measured.member_id
                and placed.period_id = measured.period_id
        where placed.{{ dimension }} is not null
        {% if not loop.last %}
            union all
        {% endif %}
    {% endfor %}
),

ranked as (
    select
        *,
        row_number() over (partition by period_id, measure, dimension, group_id order by value nulls last) as rank_no,
        count(*) over (partition by period_id, measure, dimension, group_id) as member_count
    from grouped
),

-- The interval of a median: the values whose ranks lie 0.98 times the root of the number beside the middle (Conover, Practical
-- Nonparametric Statistics, section 3.2).
summed as (
    select
        period_id,
        period_start,
        measure,
        statistic,
        unit,
        dimension,
        group_id,
        count(*) as member_count,
        sum(value) as value_sum,
        sum({{ exact_product('value', 'value') }}) as square_sum,
        cast({{ median('value') }} as decimal(28, 8)) as median_value,
        max(case when rank_no <= 0.5 * member_count - 0.98 * sqrt(member_count) then value end) as median_low,
        min(case when rank_no >= 1 + 0.5 * member_count + 0.98 * sqrt(member_count) then value end) as median_high
    from ranked
    group by period_id, period_start, measure, statistic, unit, dimension, group_id
),

valued as (
    select
        summed.period_id,
        summed.period_start,
        summed.measure,
        summed.statistic,
        summed.unit,
        summed.dimension,
        summed.group_id,
        company.reporting_currency_code,
        summed.member_count < company.min_group_size as is_suppressed,
        summed.member_count,
        cast(summed.value_sum as bigint) as selected_count,
        case
            when summed.member_count < company.min_group_size then null
            when summed.statistic = 'median' then summed.median_value
            else cast({{ exact_divide('summed.value_sum', 'summed.member_count', 8) }} as decimal(28, 8))
        end as value,
        cast(
            case summed.statistic
                when 'median' then summed.median_low
                when 'mean' then {{ mean_bound('summed.value_sum', 'summed.square_sum', 'summed.member_count', 'low') }}
                else {{ wilson_bound('summed.value_sum', 'summed.member_count', 'low') }}
            end as decimal(28, 8)
        ) as ci_low,
        cast(
            case summed.statistic
                when 'median' then summed.median_high
                when 'mean' then {{ mean_bound('summed.value_sum', 'summed.square_sum', 'summed.member_count', 'high') }}
                else {{ wilson_bound('summed.value_sum', 'summed.member_count', 'high') }}
            end as decimal(28, 8)
        ) as ci_high
    from summed
    cross join company
),

-- Each group is held against the one with the highest value; with one group alone there is nothing to compare.
compared as (
    select
        *,
        first_value(group_id) over (
            partition by period_id, measure, dimension
            order by value desc nulls last, group_id asc nulls last
        ) as best_group_id,
        max(value) over (partition by period_id, measure, dimension) as best_value,
        count(value) over (partition by period_id, measure, dimension) as shown_count
    from valued
),

reckoned as (
    select
        *,
        case
            when shown_count > 1 and best_value > 0 and value is not null
                then cast({{ exact_divide('value', 'best_value', 8) }} as decimal(18, 8))
        end as ratio
    from compared
),

final as (
    select
        period_id,
        period_start,
        measure,
        statistic,
        dimension,
        group_id,
        case when not is_suppressed then member_count end as member_count,
        case when not is_suppressed and statistic = 'selection' then selected_count end as selected_count,
        value,
        unit,
        case when unit = 'currency' then reporting_currency_code end as currency_code,
        case when not is_suppressed then ci_low end as ci_low,
        case when not is_suppressed then ci_high end as ci_high,
        case
            when is_suppressed or (ci_low is null and ci_high is null) then null
            when statistic = 'median' then 'order'
            when statistic = 'mean' then 'normal'
            else 'wilson'
        end as ci_method,
        case when ratio is not null then best_group_id end as reference_group_id,
        ratio,
        case when statistic = 'selection' then ratio < 0.8 end as is_below_four_fifths,
        is_suppressed,
        case when is_suppressed then 'fewer people than may be shown' end as reason,
        case when is_suppressed then '人数不足，不予显示' end as reason_zh
    from reckoned
)

select * from final
