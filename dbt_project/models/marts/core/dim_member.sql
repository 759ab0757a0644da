-- Grain: one row per member and validity window.
with

member as (
    select * from {{ ref('int_history__member') }}
),

final as (
    select
        member_id,
        valid_from,
        valid_to,
        valid_from <= {{ as_of_date() }} and valid_to > {{ as_of_date() }} as is_current,
        {{ latest_rank(['member_id']) }} = 1 as is_latest,
        member_name,
        role,
        grade,
        team,
        manager_id,
        region,
        hired_date,
        left_date,
        employment_pct,
        currency_code,
        base_pay_amount,
        gender,
        birth_year,
        _source,
        _source_file,
        _delivery_id,
        _row_number,
        _row_part,
        _received_date
    from member
)

select * from final
