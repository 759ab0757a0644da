-- Grain: one row per course.
with

course as (
    select
        *,
        {{ winner_rank(['course_id']) }} as winner_rank
    from {{ ref('stg_training_courses') }}
),

final as (
    select
        course_id,
        course_name,
        topic,
        is_mandatory,
        hours,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from course
    where winner_rank = 1
)

select * from final
