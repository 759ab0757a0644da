-- Grain: one row per rating and version of it.
with

version as (
    select * from {{ ref('int_review__input_version') }}
),

input_mean as (
    select * from {{ ref('int_review__input_mean') }}
),

criterion as (
    select
        template_id,
        part,
        criterion_id,
        criterion_name,
        criterion_name_zh
    from {{ source('config', 'review_criterion') }}
    where source = 'rating'
),

-- Below the group size nothing of a part is shown, whatever the criterion.
judged as (
    select
        version.*,
        criterion.criterion_name,
        criterion.criterion_name_zh,
        input_mean.rater_count,
        version.part in ('peers', 'dealers') as is_unnamed,
        version.part in ('peers', 'dealers')
        and (input_mean.is_hidden is null or input_mean.is_hidden or version.status <> 'counted') as is_unseen,
        case when version.status = 'counted' and input_mean.is_hidden then 'hidden' else version.status end as seen_status
    from version
    left join input_mean
        on
            version.member_id = input_mean.member_id
            and version.period_id = input_mean.period_id
            and version.part = input_mean.part
            and version.criterion_id = input_mean.criterion_id
    left join criterion
        on
            version.template_id = criterion.template_id
            and version.part = criterion.part
            and version.criterion_id = criterion.criterion_id
),

{% set words = {
    'withdrawn': ('its source took it back', '来源已撤回'),
    'quarter_unknown': ('the calendar has no such quarter', '日历中没有该季度'),
    'self_by_other': ('a self-rating by somebody else', '自评由他人提交'),
    'oneself_as_other': ('the member rates themselves as manager, peer or dealer', '以他人身份评价自己'),
    'outside_scale': ('the score lies outside its scale', '分数超出量表范围'),
    'not_due': ('the member was not due a review in the quarter', '该成员本季度无需考核'),
    'not_manager': ('the rater was not the manager of the member in the quarter', '评价人在该季度不是其上级'),
    'peer_not_there': ('the rater was not employed in the quarter', '评价人在该季度不在职'),
    'not_asked': ('the template does not ask this part for the criterion', '模板未要求该方评价此项'),
    'late': ('given after the last day', '晚于截止日提交'),
    'changed_late': ('changed after the last day: what was given before holds', '截止日后修改，以原评价为准'),
    'second': ('a second rating by the same rater for the quarter and criterion: the first holds', '同一评价人重复评价，以首次为准'),
} %}
final as (
    select
        review_input_id,
        version_no,
        member_id,
        period_id,
        part,
        case when not is_unnamed then rater_id end as rater_id,
        criterion_id,
        coalesce(criterion_name, case when criterion_id = 'potential' then 'Potential' end) as criterion_name,
        coalesce(criterion_name_zh, case when criterion_id = 'potential' then '潜力' end) as criterion_name_zh,
        scale_min,
        scale_max,
        case when not is_unseen then score end as score,
        case when not is_unseen then score_of_hundred end as score_of_hundred,
        case when not is_unseen then comment end as comment,
        submitted_date,
        due_date,
        manager_days,
        coalesce(rater_count, 0) as rater_count,
        seen_status as status,
        case
            {% for code, (reason, _) in words.items() %}
                when refused_because = '{{ code }}' then '{{ reason }}'
            {% endfor %}
            when seen_status = 'hidden' then 'too few raters to be shown'
            when seen_status = 'replaced' then 'a later version in time holds'
            when seen_status = 'empty' then 'no score was given'
        end as reason,
        case
            {% for code, (_, reason_zh) in words.items() %}
                when refused_because = '{{ code }}' then '{{ reason_zh }}'
            {% endfor %}
            when seen_status = 'hidden' then '评价人数不足，不予显示'
            when seen_status = 'replaced' then '已被期限内的新版本取代'
            when seen_status = 'empty' then '未打分'
        end as reason_zh
    from judged
)

select * from final
