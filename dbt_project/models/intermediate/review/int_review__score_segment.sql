-- Grain: one row per template, criterion and stretch of values on which the score is one straight line.
with

point as (
    select * from {{ source('config', 'review_point') }}
),

followed as (
    select
        template_id,
        criterion_id,
        point_no,
        curve,
        kpi_value,
        score,
        lead(kpi_value) over (partition by template_id, criterion_id order by point_no nulls last) as next_value,
        lead(score) over (partition by template_id, criterion_id order by point_no nulls last) as next_score
    from point
),

-- Below the first point and above the last the score stays what it is there. A band is level up to the next one.
final as (
    select
        template_id,
        criterion_id,
        0 as segment_no,
        cast(null as decimal(18, 6)) as from_value,
        kpi_value as to_value,
        score as from_score,
        score as to_score
    from followed
    where
        point_no = 1
        and curve = 'points'

    union all

    select
        template_id,
        criterion_id,
        point_no as segment_no,
        kpi_value as from_value,
        next_value as to_value,
        score as from_score,
        case when curve = 'points' then coalesce(next_score, score) else score end as to_score
    from followed
)

select * from final
