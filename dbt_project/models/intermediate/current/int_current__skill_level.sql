-- Grain: one row per assessment of one skill of a member.
with

level as (
    select
        *,
        {{ winner_rank(['assessment_id']) }} as winner_rank
    from {{ ref('stg_skills') }}
),

final as (
    select
        assessment_id,
        member_id,
        skill,
        topic,
        assessed_date,
        assessor_id,
        scale_min,
        scale_max,
        level,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from level
    where winner_rank = 1
)

select * from final
