-- Grain: one row per member and span after the end of an employment.
with

member as (
    select
        member_id,
        valid_from,
        left_date,
        coalesce(lead(valid_from) over (partition by member_id order by valid_from nulls last), {{ open_end() }}) as next_from
    from {{ ref('int_history__member') }}
),

-- Who comes back has a row from that day on. A row that begins before the leave that was told takes it back.
final as (
    select
        member_id,
        greatest(left_date, valid_from) as left_from,
        next_from as left_to
    from member
    where left_date < next_from
)

select * from final
