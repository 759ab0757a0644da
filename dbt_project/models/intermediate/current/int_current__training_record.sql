-- Grain: one row per assignment of a training course to a person.
with

record as (
    select
        *,
        {{ winner_rank(['record_id'], 'updated_at') }} as winner_rank
    from {{ ref('stg_training_records') }}
),

final as (
    select
        record_id,
        updated_at,
        course_id,
        member_id,
        dealer_id,
        assigned_date,
        due_date,
        started_date,
        completed_date,
        score,
        is_passed,
        cost_amount,
        currency_code,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from record
    where winner_rank = 1
)

select * from final
