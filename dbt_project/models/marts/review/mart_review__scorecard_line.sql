-- Grain: one row per member, quarter, part of the review and criterion.
with

line as (
    select * from {{ ref('int_review__line') }}
),

due as (
    select * from {{ ref('int_review__member_quarter') }}
),

kpi as (
    select * from {{ source('config', 'kpi') }}
),

decision as (
    select *
    from {{ ref('int_review__appeal') }}
    where
        left_because is null
        and criterion_id is not null
),

told as (
    select
        line.*,
        due.period_start,
        due.period_end,
        due.role,
        due.team,
        due.template_version,
        case
            when line.part <> 'self' and line.score is not null then coalesce(decision.score_after, line.score)
            else line.score
        end as final_score,
        cast(cast(line.value as decimal(18, 4)) as string) as value_text,
        coalesce(kpi.kpi_name, line.kpi_code) as kpi_name,
        coalesce(kpi.kpi_name_zh, line.kpi_code) as kpi_name_zh
    from line
    inner join due
        on
            line.member_id = due.member_id
            and line.period_id = due.period_id
    left join kpi on line.kpi_code = kpi.kpi_code
    left join decision
        on
            line.member_id = decision.member_id
            and line.period_id = decision.period_id
            and line.criterion_id = decision.criterion_id
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
        part,
        part_no,
        criterion_id,
        criterion_no,
        criterion_name,
        criterion_name_zh,
        source,
        kpi_code,
        subject_type,
        subject_id,
        value,
        unit,
        currency_code,
        target_value,
        sample_size,
        ci_low,
        ci_high,
        ci_method,
        definition_version,
        weight_pct,
        part_weight_pct,
        total_weight_pct,
        score,
        final_score,
        score is not null as is_scored,
        status,
        reason,
        case
            when score is not null then null
            when status = 'hidden' then '评价人数不足，不显示也不计分'
            when status = 'not_given' then '无有效评价'
            when status = 'small_sample' then '样本量不足'
            when status = 'no_rate' then '缺少汇率'
            when status = 'undefined' then '按定义无法计算'
            when status = 'subject_unknown' then '主数据中没有该对象'
            when source = 'goals' then '没有可计入该项的目标进度'
            else '本期无数据'
        end as reason_zh,
        case
            when score is null then null
            when source = 'kpi'
                then
                    kpi_name || case subject_type when 'member' then '' else ' of the ' || subject_type end || ': ' || value_text
                    || ', ' || cast(coalesce(sample_size, 0) as string) || ' cases'
            when source = 'goals'
                then 'progress of ' || cast(sample_size as string) || ' goals: ' || value_text
            else 'mean of ' || cast(sample_size as string) || ' raters: ' || value_text
        end as evidence,
        case
            when score is null then null
            when source = 'kpi'
                then
                    case subject_type when 'team' then '团队' when 'region' then '区域' else '' end || kpi_name_zh || '：' || value_text
                    || '，样本 ' || cast(coalesce(sample_size, 0) as string)
            when source = 'goals'
                then cast(sample_size as string) || ' 个目标的进度：' || value_text
            else cast(sample_size as string) || ' 位评价人的均分：' || value_text
        end as evidence_zh
    from told
)

select * from final
