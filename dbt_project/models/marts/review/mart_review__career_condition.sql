-- Grain: one row per member, quarter and condition of the next grade.
with

condition as (
    select * from {{ ref('int_review__career_condition') }}
),

final as (
    select
        member_id,
        period_id,
        period_end,
        role,
        from_grade,
        to_grade,
        condition_no,
        kind,
        coalesce(topic, rating) as subject,
        case kind
            when 'rating'
                then
                    rating || ' or better in ' || cast(cast(required_value as bigint) as string) || ' of the last '
                    || cast(last_quarter_count as string) || ' quarters'
            when 'months_in_grade' then cast(cast(required_value as bigint) as string) || ' months in the grade'
            when 'skill' then 'skill in ' || topic || ' at ' || cast(cast(required_value as bigint) as string)
            else
                cast(cast(required_value as bigint) as string) || ' courses'
                || case when topic is not null then ' in ' || topic else '' end
        end as condition_text,
        case kind
            when 'rating'
                then
                    '最近 ' || cast(last_quarter_count as string) || ' 个季度中至少 ' || cast(cast(required_value as bigint) as string)
                    || ' 个评级不低于 ' || rating
            when 'months_in_grade' then '在现职级满 ' || cast(cast(required_value as bigint) as string) || ' 个月'
            when 'skill'
                then
                    case topic when 'product' then '产品' when 'market' then '市场' when 'selling' then '销售' else '服务' end
                    || '技能达到 ' || cast(cast(required_value as bigint) as string)
            else
                '完成' || coalesce(
                    case topic when 'product' then '产品' when 'market' then '市场' when 'selling' then '销售' when 'service' then '服务' end, ''
                ) || '课程 ' || cast(cast(required_value as bigint) as string) || ' 门'
        end as condition_text_zh,
        required_value,
        actual_value,
        gap,
        status,
        proposed_course_id,
        proposed_course_name,
        proposed_hours
    from condition
)

select * from final
