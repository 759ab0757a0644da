-- Grain: one row per member, quarter, part of the review and criterion.
with

member_quarter as (
    select * from {{ ref('int_review__member_quarter') }}
),

part as (
    select * from {{ source('config', 'review_part') }}
),

criterion as (
    select * from {{ source('config', 'review_criterion') }}
),

segment as (
    select * from {{ ref('int_review__score_segment') }}
),

kpi_value as (
    select *
    from {{ ref('int_kpi__subject_period') }}
    where
        period_type = 'quarter'
        and is_complete
        and subject_type in ('member', 'team', 'region')
),

input_mean as (
    select * from {{ ref('int_review__input_mean') }}
),

top_goal as (
    select
        member_id,
        period_id,
        criterion_id,
        sum(progress_pct) as progress_sum,
        count(progress_pct) as progress_count,
        sum(case when progress_pct is not null then leaf_count end) as leaf_count
    from {{ ref('int_review__goal') }}
    where is_at_top_of_criterion
    group by member_id, period_id, criterion_id
),

due as (
    select
        member_quarter.member_id,
        member_quarter.period_id,
        member_quarter.template_id,
        part.part,
        part.part_no,
        part.part_weight_pct,
        criterion.criterion_id,
        criterion.criterion_no,
        criterion.criterion_name,
        criterion.criterion_name_zh,
        criterion.source,
        criterion.kpi_code,
        criterion.subject_type,
        case criterion.subject_type
            when 'team' then member_quarter.team
            when 'region' then member_quarter.region
            else member_quarter.member_id
        end as subject_id,
        criterion.weight_pct,
        criterion.total_weight_pct,
        criterion.min_sample
    from member_quarter
    inner join part on member_quarter.template_id = part.template_id
    inner join criterion
        on
            part.template_id = criterion.template_id
            and part.part = criterion.part
),

-- What was not measured, or on too few cases, is left out of the review and says why; it is never a score of 0.
of_kpis as (
    select
        due.member_id,
        due.period_id,
        due.part,
        due.criterion_id,
        case when kpi_value.status = 'ok' and coalesce(kpi_value.sample_size, 0) >= due.min_sample then kpi_value.value end
            as value,
        kpi_value.unit,
        kpi_value.currency_code,
        kpi_value.target_value,
        kpi_value.sample_size,
        kpi_value.ci_low,
        kpi_value.ci_high,
        kpi_value.ci_method,
        kpi_value.definition_version,
        case
            when kpi_value.status = 'ok' and coalesce(kpi_value.sample_size, 0) < due.min_sample then 'small_sample'
            else coalesce(kpi_value.status, 'no_data')
        end as status,
        case
            when kpi_value.status is null then 'no value of the KPI for the period'
            when kpi_value.status <> 'ok' then coalesce(kpi_value.status_reason, kpi_value.status)
            when coalesce(kpi_value.sample_size, 0) < due.min_sample
                then
                    cast(coalesce(kpi_value.sample_size, 0) as string) || ' measured, at least '
                    || cast(due.min_sample as string) || ' wanted'
        end as reason
    from due
    left join kpi_value
        on
            due.subject_type = kpi_value.subject_type
            and due.subject_id = kpi_value.subject_id
            and due.period_id = kpi_value.period_id
            and due.kpi_code = kpi_value.kpi_code
    where due.source = 'kpi'
),

of_goals as (
    select
        due.member_id,
        due.period_id,
        due.part,
        due.criterion_id,
        case
            when coalesce(top_goal.leaf_count, 0) >= due.min_sample
                then cast({{ exact_divide('top_goal.progress_sum', '100 * top_goal.progress_count', 8) }} as decimal(28, 8))
        end as value,
        cast(top_goal.leaf_count as bigint) as sample_size,
        case
            when top_goal.progress_count > 0 and top_goal.leaf_count < due.min_sample then 'small_sample'
            when top_goal.progress_count > 0 then 'ok'
            else 'no_data'
        end as status,
        case
            when top_goal.member_id is null then 'no goal of the member names the criterion'
            when top_goal.progress_count = 0 then 'no goal of the criterion states its progress'
            when top_goal.leaf_count < due.min_sample
                then
                    cast(top_goal.leaf_count as string) || ' goals, at least ' || cast(due.min_sample as string) || ' wanted'
        end as reason
    from due
    left join top_goal
        on
            due.member_id = top_goal.member_id
            and due.period_id = top_goal.period_id
            and due.criterion_id = top_goal.criterion_id
    where due.source = 'goals'
),

of_people as (
    select
        due.member_id,
        due.period_id,
        due.part,
        due.criterion_id,
        case when not input_mean.is_hidden then cast(input_mean.mean_score as decimal(28, 8)) end as value,
        coalesce(input_mean.rater_count, 0) as sample_size,
        case when not input_mean.is_hidden then input_mean.ci_low end as ci_low,
        case when not input_mean.is_hidden then input_mean.ci_high end as ci_high,
        case when not input_mean.is_hidden and input_mean.ci_low is not null then 'normal' end as ci_method,
        case
            when input_mean.member_id is null then 'not_given'
            when input_mean.is_hidden then 'hidden'
            else 'ok'
        end as status,
        case
            when input_mean.member_id is null then 'nobody gave a rating that counts'
            when input_mean.is_hidden then 'fewer than ' || cast(due.min_sample as string) || ' raters: not shown and not scored'
        end as reason
    from due
    left join input_mean
        on
            due.member_id = input_mean.member_id
            and due.period_id = input_mean.period_id
            and due.part = input_mean.part
            and due.criterion_id = input_mean.criterion_id
    where due.source = 'rating'
),

measured as (
    select
        member_id,
        period_id,
        part,
        criterion_id,
        value,
        unit,
        currency_code,
        target_value,
        sample_size,
        ci_low,
        ci_high,
        ci_method,
        definition_version,
        status,
        reason
    from of_kpis

    union all

    select
        member_id,
        period_id,
        part,
        criterion_id,
        value,
        'share' as unit,
        cast(null as string) as currency_code,
        cast(1 as decimal(28, 8)) as target_value,
        sample_size,
        cast(null as decimal(18, 8)) as ci_low,
        cast(null as decimal(18, 8)) as ci_high,
        cast(null as string) as ci_method,
        cast(null as integer) as definition_version,
        status,
        reason
    from of_goals

    union all

    select
        member_id,
        period_id,
        part,
        criterion_id,
        value,
        'score' as unit,
        cast(null as string) as currency_code,
        cast(null as decimal(28, 8)) as target_value,
        sample_size,
        ci_low,
        ci_high,
        ci_method,
        cast(null as integer) as definition_version,
        status,
        reason
    from of_people
),

-- Ratings lie on 0 to 100 already; all else goes through the curve of its criterion.
known as (
    select
        due.member_id,
        due.period_id,
        due.template_id,
        due.part,
        due.criterion_id,
        measured.value
    from due
    inner join measured
        on
            due.member_id = measured.member_id
            and due.period_id = measured.period_id
            and due.part = measured.part
            and due.criterion_id = measured.criterion_id
    where
        due.source <> 'rating'
        and measured.value is not null
),

curved as (
    select
        known.member_id,
        known.period_id,
        known.part,
        known.criterion_id,
        cast(
            case
                when segment.from_score = segment.to_score then segment.from_score
                else segment.from_score + {{ exact_divide(
                    '(known.value - segment.from_value) * (segment.to_score - segment.from_score)',
                    '(segment.to_value - segment.from_value)',
                    4,
                    operand_scale=12
                ) }}
            end as decimal(9, 4)
        ) as score
    from known
    inner join segment
        on
            known.template_id = segment.template_id
            and known.criterion_id = segment.criterion_id
            and (segment.from_value is null or known.value >= segment.from_value)
            and (segment.to_value is null or known.value < segment.to_value)
),

final as (
    select
        due.member_id,
        due.period_id,
        due.template_id,
        due.part,
        due.part_no,
        due.part_weight_pct,
        due.criterion_id,
        due.criterion_no,
        due.criterion_name,
        due.criterion_name_zh,
        due.source,
        due.kpi_code,
        due.subject_type,
        due.subject_id,
        due.weight_pct,
        due.total_weight_pct,
        due.min_sample,
        measured.value,
        measured.unit,
        measured.currency_code,
        measured.target_value,
        cast(measured.sample_size as bigint) as sample_size,
        measured.ci_low,
        measured.ci_high,
        measured.ci_method,
        measured.definition_version,
        measured.status,
        measured.reason,
        case when due.source = 'rating' then cast(measured.value as decimal(9, 4)) else curved.score end as score
    from due
    inner join measured
        on
            due.member_id = measured.member_id
            and due.period_id = measured.period_id
            and due.part = measured.part
            and due.criterion_id = measured.criterion_id
    left join curved
        on
            due.member_id = curved.member_id
            and due.period_id = curved.period_id
            and due.part = curved.part
            and due.criterion_id = curved.criterion_id
)

select * from final
