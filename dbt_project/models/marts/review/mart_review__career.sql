-- Grain: one row per member and quarter due a review.
with

readiness as (
    select * from {{ ref('int_review__readiness') }}
),

condition as (
    select * from {{ ref('mart_review__career_condition') }}
),

months_in_grade as (
    select *
    from {{ ref('int_kpi__subject_period') }}
    where
        kpi_code = 'months_in_grade'
        and period_type = 'quarter'
        and subject_type = 'member'
        and status = 'ok'
),

recognition as (
    select * from {{ ref('fct_recognition') }}
),

proposal as (
    select *
    from {{ ref('mart_incentive__proposal') }}
    where
        scenario_id = 'paid'
        and payee_type = 'member'
        and award = 'promotion'
),

promotion as (
    select *
    from {{ ref('fct_career_event') }}
    where kind = 'promotion'
),

missing as (
    select
        member_id,
        period_id,
        {{ ordered_list(
            "condition_text || case when actual_value is null then ' (not known)' else ' (has '"
            ~ " || cast(cast(actual_value as bigint) as string) || ')' end",
            "'; '",
            'condition_no',
        ) }} as missing,
        {{ ordered_list(
            "condition_text_zh || case when actual_value is null then '（未知）' else '（现有 '"
            ~ " || cast(cast(actual_value as bigint) as string) || '）' end",
            "'；'",
            'condition_no',
        ) }} as missing_zh
    from condition
    where status <> 'met'
    group by member_id, period_id
),

course as (
    select
        member_id,
        period_id,
        proposed_course_id,
        max(proposed_course_name) as course_name
    from condition
    where proposed_course_id is not null
    group by member_id, period_id, proposed_course_id
),

training as (
    select
        member_id,
        period_id,
        {{ ordered_list('course_name', "', '", 'proposed_course_id') }} as proposed_training
    from course
    group by member_id, period_id
),

awarded as (
    select
        readiness.member_id,
        readiness.period_id,
        recognition.award,
        recognition.awarded_date,
        count(*) over (partition by readiness.member_id, readiness.period_id) as recognition_count,
        row_number() over (
            partition by readiness.member_id, readiness.period_id
            order by recognition.awarded_date desc nulls last, recognition.recognition_id desc nulls last
        ) as row_no
    from readiness
    inner join recognition
        on
            readiness.member_id = recognition.member_id
            and readiness.period_end > recognition.awarded_date
            and cast({{ dbt.dateadd('month', -12, 'readiness.period_end') }} as date) <= recognition.awarded_date
),

named as (
    select
        readiness.member_id,
        readiness.period_id,
        proposal.proposal_name,
        max(proposal.proposal_name_zh) as proposal_name_zh
    from readiness
    inner join proposal
        on
            readiness.member_id = proposal.payee_id
            and readiness.period_start < proposal.period_end
            and readiness.period_end >= proposal.period_end
    group by readiness.member_id, readiness.period_id, proposal.proposal_name
),

planned as (
    select
        member_id,
        period_id,
        count(*) as plan_proposal_count,
        {{ ordered_list('proposal_name', "', '", 'proposal_name') }} as plan_proposals,
        {{ ordered_list('proposal_name_zh', "'、'", 'proposal_name') }} as plan_proposals_zh
    from named
    group by member_id, period_id
),

promoted as (
    select
        readiness.member_id,
        readiness.period_id,
        min(promotion.effective_date) as promoted_date
    from readiness
    inner join promotion
        on
            readiness.member_id = promotion.member_id
            and readiness.period_start <= promotion.effective_date
            and readiness.period_end > promotion.effective_date
    group by readiness.member_id, readiness.period_id
),

final as (
    select
        readiness.member_id,
        readiness.period_id,
        readiness.period_start,
        readiness.period_end,
        readiness.role,
        readiness.team,
        readiness.grade,
        readiness.next_grade,
        cast(months_in_grade.value as bigint) as months_in_grade,
        readiness.condition_count,
        readiness.met_count,
        readiness.unknown_count,
        case readiness.status when 'ready' then true when 'not_ready' then false end as is_ready,
        readiness.status,
        missing.missing,
        missing.missing_zh,
        training.proposed_training,
        coalesce(awarded.recognition_count, 0) as recognition_count,
        awarded.award as last_award,
        awarded.awarded_date as last_awarded_date,
        coalesce(planned.plan_proposal_count, 0) as plan_proposal_count,
        planned.plan_proposals,
        planned.plan_proposals_zh,
        promoted.promoted_date
    from readiness
    {% for relation in ['missing', 'training', 'planned', 'promoted'] %}
        left join {{ relation }}
            on
                readiness.member_id = {{ relation }}.member_id
                and readiness.period_id = {{ relation }}.period_id
    {% endfor %}
    left join awarded
        on
            readiness.member_id = awarded.member_id
            and readiness.period_id = awarded.period_id
            and awarded.row_no = 1
    left join months_in_grade
        on
            readiness.member_id = months_in_grade.subject_id
            and readiness.period_id = months_in_grade.period_id
)

select * from final
