-- Grain: one row per dealer and fiscal quarter begun.
with

dealer_quarter as (
    select * from {{ ref('mart_kpi__dealer_quarter') }}
),

subject_period as (
    select * from {{ ref('mart_kpi__subject_period') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

warning as (
    select * from {{ ref('mart_kpi__dealer_warning') }}
),

tier as (
    select * from {{ source('config', 'scorecard_tier') }}
),

condition as (
    select * from {{ source('config', 'scorecard_condition') }}
),

-- Tier and region are those of the quarter's last day, or of the last row before it.
placed as (
    select
        dealer_quarter.dealer_id,
        dealer_quarter.period_id,
        dealer.tier,
        dealer.region,
        row_number() over (
            partition by dealer_quarter.dealer_id, dealer_quarter.period_id
            order by dealer.valid_from desc nulls last
        ) as row_no
    from dealer_quarter
    inner join dealer
        on
            dealer_quarter.dealer_id = dealer.dealer_id
            and dealer_quarter.period_end > dealer.valid_from
),

ranked as (
    select
        dealer_quarter.dealer_id,
        dealer_quarter.period_id,
        rank() over (
            partition by dealer_quarter.period_id, placed.tier order by dealer_quarter.net_revenue desc nulls last
        ) as rank_in_tier,
        count(dealer_quarter.net_revenue) over (partition by dealer_quarter.period_id, placed.tier) as ranked_in_tier,
        rank() over (
            partition by dealer_quarter.period_id, placed.region order by dealer_quarter.net_revenue desc nulls last
        ) as rank_in_region,
        count(dealer_quarter.net_revenue) over (partition by dealer_quarter.period_id, placed.region) as ranked_in_region
    from dealer_quarter
    inner join placed
        on
            dealer_quarter.dealer_id = placed.dealer_id
            and dealer_quarter.period_id = placed.period_id
            and placed.row_no = 1
    where dealer_quarter.net_revenue is not null
),

-- What cannot be measured (no base of a quotient, too few answers) is not met; where there are no data nobody knows.
judged as (
    select
        dealer_quarter.dealer_id,
        dealer_quarter.period_id,
        tier.tier,
        tier.tier_no,
        condition.condition_no,
        coalesce(
            condition.kpi_code is null
            or subject_period.value >= condition.at_least
            or subject_period.value <= condition.at_most,
            false
        ) as is_met,
        coalesce(subject_period.status in ('no_data', 'no_rate'), false) as is_unknown,
        condition.kpi_code || ' '
        || coalesce('is ' || cast(cast(subject_period.value as decimal(18, 4)) as string), 'is not measured') || ', '
        || case when condition.at_least is not null then 'at least ' else 'at most ' end
        || cast(cast(coalesce(condition.at_least, condition.at_most) as decimal(18, 4)) as string)
        || ' wanted' as reason
    from dealer_quarter
    cross join tier
    left join condition on tier.tier = condition.tier
    left join subject_period
        on
            subject_period.subject_type = 'dealer'
            and dealer_quarter.dealer_id = subject_period.subject_id
            and dealer_quarter.period_id = subject_period.period_id
            and condition.kpi_code = subject_period.kpi_code
),

weighed as (
    select
        dealer_id,
        period_id,
        tier,
        tier_no,
        bool_and(is_met) as is_met,
        bool_and(is_met or is_unknown) as is_open,
        {{ ordered_list("case when not is_met then reason end", "'; '", 'condition_no') }} as reason
    from judged
    group by dealer_id, period_id, tier, tier_no
),

proposed as (
    select
        dealer_id,
        period_id,
        min(tier_no) filter (where is_met) as tier_no,
        min(tier_no) filter (where is_open) as open_tier_no
    from weighed
    group by dealer_id, period_id
),

-- A better tier that may be due as well as not leaves nothing to propose, nor do figures to date beside bounds of a quarter.
told as (
    select
        proposed.dealer_id,
        proposed.period_id,
        case
            when dealer_quarter.is_complete and proposed.open_tier_no >= proposed.tier_no then proposed.tier_no
        end as tier_no,
        coalesce(proposed.open_tier_no < coalesce(proposed.tier_no, proposed.open_tier_no + 1), false) as is_unknown
    from proposed
    inner join dealer_quarter
        on
            proposed.dealer_id = dealer_quarter.dealer_id
            and proposed.period_id = dealer_quarter.period_id
),

warned as (
    select
        dealer_id,
        period_id,
        count(*) as warning_count,
        {{ ordered_list("warning_name || ': ' || reason", "'; '", 'warning_no') }} as warnings,
        {{ ordered_list("warning_name_zh", "'；'", 'warning_no') }} as warnings_zh
    from warning
    group by dealer_id, period_id
),

final as (
    select
        dealer_quarter.dealer_id,
        dealer_quarter.subject_name as dealer_name,
        placed.region,
        placed.tier,
        dealer_quarter.period_id,
        dealer_quarter.period_start,
        dealer_quarter.period_end,
        dealer_quarter.is_complete,
        dealer_quarter.net_revenue,
        dealer_quarter.growth_last_year_pct,
        dealer_quarter.gross_margin_pct,
        dealer_quarter.attainment_pct,
        dealer_quarter.csat_pct,
        dealer_quarter.nps,
        dealer_quarter.training_completion_pct,
        cast(ranked.rank_in_tier as bigint) as rank_in_tier,
        ranked.ranked_in_tier,
        cast(ranked.rank_in_region as bigint) as rank_in_region,
        ranked.ranked_in_region,
        proposed_tier.tier as proposed_tier,
        case
            when not dealer_quarter.is_complete then 'the quarter is not complete'
            when told.is_unknown then 'what a better tier asks for is not known'
            when proposed_tier.tier is null then 'no tier is open to these figures'
            when placed.tier is null then 'has no tier yet'
            when proposed_tier.tier = placed.tier then 'as it is'
            when present_tier.tier_no is null then 'its tier is none of the scorecard'
            when proposed_tier.tier_no < present_tier.tier_no then 'up'
            else 'down'
        end as proposal,
        next_tier.tier as next_tier,
        next_weighed.reason as next_tier_lacks,
        coalesce(warned.warning_count, 0) as warning_count,
        warned.warnings,
        warned.warnings_zh
    from dealer_quarter
    left join placed
        on
            dealer_quarter.dealer_id = placed.dealer_id
            and dealer_quarter.period_id = placed.period_id
            and placed.row_no = 1
    left join ranked
        on
            dealer_quarter.dealer_id = ranked.dealer_id
            and dealer_quarter.period_id = ranked.period_id
    left join told
        on
            dealer_quarter.dealer_id = told.dealer_id
            and dealer_quarter.period_id = told.period_id
    left join tier as proposed_tier on told.tier_no = proposed_tier.tier_no
    left join tier as present_tier on placed.tier = present_tier.tier
    left join tier as next_tier on told.tier_no = next_tier.tier_no + 1
    left join weighed as next_weighed
        on
            dealer_quarter.dealer_id = next_weighed.dealer_id
            and dealer_quarter.period_id = next_weighed.period_id
            and next_tier.tier_no = next_weighed.tier_no
    left join warned
        on
            dealer_quarter.dealer_id = warned.dealer_id
            and dealer_quarter.period_id = warned.period_id
)

select * from final
