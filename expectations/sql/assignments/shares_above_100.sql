-- Every assignment of a dealer that holds on a day on which the shares add up to more than 100 %.
select b._row_id
from {{ batch }} as b
semi join (
    -- An assignment ends on its last day, or where the next of the same dealer, member and role begins.
    with held as (
        select
            *,
            least(
                coalesce(valid_to, date '9999-12-31'),
                coalesce(
                    lead(valid_from) over (partition by dealer_id, member_id, role order by valid_from),
                    date '9999-12-31'
                )
            ) as ends
        from feed_assignments
        where
            role in ('owner', 'co_owner')
            and (valid_to is null or valid_to > valid_from)
    ),

    -- A sum can only begin to be too large on a day on which an assignment begins.
    full_day as (
        select
            s.dealer_id,
            s.valid_from as day
        from held as s
        join held as a
            on a.dealer_id = s.dealer_id
            and a.valid_from <= s.valid_from
            and s.valid_from < a.ends
        group by
            s.dealer_id,
            s.member_id,
            s.role,
            s.valid_from
        having sum(a.split_pct) > 100
    )

    select
        held._delivery_id,
        held._row_number,
        held._row_part
    from held
    join full_day
        on full_day.dealer_id = held.dealer_id
        and held.valid_from <= full_day.day
        and full_day.day < held.ends
) as o
    on o._delivery_id = b._delivery_id
    and o._row_number = b._row_number
    and o._row_part = b._row_part
