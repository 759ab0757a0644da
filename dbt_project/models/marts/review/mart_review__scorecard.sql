-- Grain: one row per member, quarter and criterion of the member's review.
with

member_quarter as (
    select * from {{ ref('int_review__member_quarter') }}
),

criterion as (
    select * from {{ source('config', 'review_criterion') }}
),

segment as (
    select * from {{ ref('int_review__score_segment') }}
),

kpi_value as (
    select * from {{ ref('mart_kpi__subject_period') }}
),

eligible as (
    select
        member_quarter.member_id,
        member_quarter.period_id,
        member_quarter.period_start,
        member_quarter.period_end,
        member_quarter.role,
        member_quarter.team,
        member_quarter.template_id,
        member_quarter.template_version,
        criterion.criterion_id,
        criterion.criterion_no,
        criterion.criterion_name,
        criterion.criterion_name_zh,
        criterion.kpi_code,
        criterion.subject_type,
        case criterion.subject_type when 'team' then member_quarter.team else member_quarter.member_id end as subject_id,
        criterion.weight_pct
    from member_quarter
    inner join criterion on member_quarter.template_id = criterion.template_id
),

-- What was not measured, or on too few cases, is left out of the review and says why; it is never a score of 0.
measured as (
    select
        eligible.*,
        case when kpi_value.status = 'ok' then kpi_value.value end as kpi_value,
        kpi_value.unit as kpi_unit,
        kpi_value.sample_size,
        kpi_value.definition_version,
        coalesce(kpi_value.status, 'no_data') as kpi_status,
        case
            when kpi_value.status is null then 'no value of the KPI for the period'
            when kpi_value.status <> 'ok' then coalesce(kpi_value.status_reason, kpi_value.status)
        end as left_out_reason
    from eligible
    left join kpi_value
        on
            eligible.subject_type = kpi_value.subject_type
            and eligible.subject_id = kpi_value.subject_id
            and eligible.period_id = kpi_value.period_id
            and eligible.kpi_code = kpi_value.kpi_code
),

scored as (
    select
        measured.*,
        cast(
            case
                when measured.kpi_value is null then null
                when segment.from_score = segment.to_score then segment.from_score
                else segment.from_score + {{ exact_divide(
                    '(measured.kpi_value - segment.from_value) * (segment.to_score - segment.from_score)',
                    '(segment.to_value - segment.from_value)',
                    4,
                    operand_scale=12
                ) }}
            end as decimal(9, 4)
        ) as score
    from measured
    left join segment
        on
            measured.template_id = segment.template_id
            and measured.criterion_id = segment.criterion_id
            and (segment.from_value is null or measured.kpi_value >= segment.from_value)
            and (segment.to_value is null or measured.kpi_value < segment.to_value)
            and measured.kpi_value is not null
),

final as (
    select
        member_id,
        period_id,
        period_start,
        period_end,
        role,
        team,
        template_id,
        template_version,
        criterion_id,
        criterion_no,
        criterion_name,
        criterion_name_zh,
        kpi_code,
        subject_type,
        subject_id,
        kpi_value,
        kpi_unit,
        sample_size,
        definition_version,
        kpi_status,
        weight_pct,
        score,
        score is not null as is_scored,
        left_out_reason
    from scored
)

select * from final
