-- Grain: one row per quarter, kind of rater and rater with a rating that counts.
with

input as (
    select *
    from {{ ref('int_review__input_version') }}
    where
        status = 'counted'
        and part <> 'self'
        and criterion_id <> 'potential'
),

kpi_part as (
    select *
    from {{ ref('int_review__part') }}
    where
        part = 'kpi'
        and part_score is not null
),

period as (
    select *
    from {{ ref('dim_period') }}
    where period_type = 'quarter'
),

review_rule as (
    select * from {{ source('config', 'review_rule') }}
),

-- A member counts once for a rater, however many criteria were asked.
pair as (
    select
        input.period_id,
        input.rater_type,
        input.rater_id,
        input.member_id,
        count(*) as rating_count,
        cast({{ exact_divide('sum(input.score_of_hundred)', 'count(*)', 8) }} as decimal(18, 8)) as score
    from input
    group by input.period_id, input.rater_type, input.rater_id, input.member_id
),

shared as (
    select
        pair.*,
        count(*) over (partition by pair.period_id, pair.rater_type, pair.member_id) as rater_count,
        cast(pair.score - kpi_part.part_score as decimal(18, 8)) as gap
    from pair
    left join kpi_part
        on
            pair.member_id = kpi_part.member_id
            and pair.period_id = kpi_part.period_id
),

own as (
    select
        period_id,
        rater_type,
        rater_id,
        count(*) as member_count,
        sum(rating_count) as rating_count,
        sum(score) as score_sum,
        sum({{ exact_product('score', 'score') }}) as square_sum,
        count(gap) as gap_count,
        coalesce(sum(gap), 0) as gap_sum,
        coalesce(sum({{ exact_product('gap', 'gap') }}), 0) as gap_square_sum,
        max(rater_count) = 1 as is_own_team_only
    from shared
    group by period_id, rater_type, rater_id
),

-- The others of the kind: all of them less the rater.
beside as (
    select
        *,
        sum(member_count) over (partition by period_id, rater_type) - member_count as other_count,
        sum(score_sum) over (partition by period_id, rater_type) - score_sum as other_sum,
        sum(square_sum) over (partition by period_id, rater_type) - square_sum as other_square_sum,
        sum(gap_count) over (partition by period_id, rater_type) - gap_count as other_gap_count,
        sum(gap_sum) over (partition by period_id, rater_type) - gap_sum as other_gap_sum,
        sum(gap_square_sum) over (partition by period_id, rater_type) - gap_square_sum as other_gap_square_sum
    from own
),

reckoned as (
    select
        period_id,
        rater_type,
        rater_id,
        member_count,
        rating_count,
        is_own_team_only,
        other_count,
        cast({{ exact_divide('score_sum', 'member_count', 8) }} as decimal(18, 8)) as mean_score,
        cast({{ exact_divide('other_sum', 'other_count', 8) }} as decimal(18, 8)) as others_mean_score,
        {{ difference_bound(('score_sum', 'square_sum', 'member_count'), ('other_sum', 'other_square_sum', 'other_count'), 'low') }}
            as leniency_ci_low,
        {{ difference_bound(('score_sum', 'square_sum', 'member_count'), ('other_sum', 'other_square_sum', 'other_count'), 'high') }}
            as leniency_ci_high,
        {{ standard_deviation('score_sum', 'square_sum', 'member_count') }} as spread_points,
        {{ standard_deviation('other_sum', 'other_square_sum', 'other_count') }} as others_spread_points,
        cast({{ exact_divide('gap_sum', 'gap_count', 8) }} as decimal(18, 8)) as kpi_gap_points,
        cast({{ exact_divide('other_gap_sum', 'other_gap_count', 8) }} as decimal(18, 8)) as others_gap_points,
        {{ difference_bound(('gap_sum', 'gap_square_sum', 'gap_count'), ('other_gap_sum', 'other_gap_square_sum', 'other_gap_count'), 'low') }}
            as leniency_against_kpi_ci_low,
        {{ difference_bound(('gap_sum', 'gap_square_sum', 'gap_count'), ('other_gap_sum', 'other_gap_square_sum', 'other_gap_count'), 'high') }}
            as leniency_against_kpi_ci_high
    from beside
),

compared as (
    select
        *,
        cast(mean_score - others_mean_score as decimal(18, 8)) as leniency_points,
        cast(kpi_gap_points - others_gap_points as decimal(18, 8)) as leniency_against_kpi_points,
        cast({{ exact_divide('spread_points', 'others_spread_points', 8) }} as decimal(18, 8)) as spread_ratio
    from reckoned
),

judged as (
    select
        compared.*,
        review_rule.min_members,
        case
            when compared.member_count < review_rule.min_members or compared.leniency_ci_low is null then 'small_sample'
            when compared.leniency_points >= review_rule.leniency_points and compared.leniency_ci_low > 0 then 'lenient'
            when compared.leniency_points <= -review_rule.leniency_points and compared.leniency_ci_high < 0 then 'severe'
            when compared.spread_ratio < review_rule.narrow_ratio then 'narrow'
            else 'in_line'
        end as status
    from compared
    cross join review_rule
),

final as (
    select
        judged.period_id,
        period.period_start,
        judged.rater_type,
        judged.rater_id,
        judged.member_count,
        cast(judged.rating_count as bigint) as rating_count,
        judged.mean_score,
        judged.others_mean_score,
        judged.leniency_points,
        judged.leniency_ci_low,
        judged.leniency_ci_high,
        judged.spread_points,
        judged.others_spread_points,
        judged.spread_ratio,
        judged.kpi_gap_points,
        judged.leniency_against_kpi_points,
        judged.leniency_against_kpi_ci_low,
        judged.leniency_against_kpi_ci_high,
        judged.is_own_team_only,
        judged.status,
        case judged.status
            when 'small_sample' then 'too few members rated to say anything'
            when 'lenient' then 'mean above that of the others by ' || cast(cast(judged.leniency_points as decimal(9, 1)) as string)
            when 'severe' then 'mean below that of the others by ' || cast(cast(-judged.leniency_points as decimal(9, 1)) as string)
            when 'narrow' then 'all are rated alike'
            else 'in line with the others'
        end
        || case when judged.is_own_team_only then '; nobody else rated these members, who may be better or worse than others' else '' end
            as reason,
        case judged.status
            when 'small_sample' then '被评人数太少，无法判断'
            when 'lenient' then '均分高于其他评价人 ' || cast(cast(judged.leniency_points as decimal(9, 1)) as string) || ' 分'
            when 'severe' then '均分低于其他评价人 ' || cast(cast(-judged.leniency_points as decimal(9, 1)) as string) || ' 分'
            when 'narrow' then '所有人评分过于接近'
            else '与其他评价人一致'
        end
        || case when judged.is_own_team_only then '；这些成员没有其他评价人，差异可能来自团队本身' else '' end as reason_zh
    from judged
    inner join period on judged.period_id = period.period_id
)

select * from final
