-- Grain: one row per event and attendee.
with

attendance as (
    select
        *,
        {{ winner_rank(['event_id', 'attendee_type', 'attendee_id']) }} as winner_rank
    from {{ ref('stg_events') }}
),

final as (
    select
        event_id,
        attendee_type,
        attendee_id,
        event_name,
        kind,
        audience,
        organiser_id,
        event_date,
        invited_date,
        is_attended,
        scale_min,
        scale_max,
        rating,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from attendance
    where winner_rank = 1
)

select * from final
