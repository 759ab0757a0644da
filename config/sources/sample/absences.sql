-- The sheet states the last day of absence; ours is the first day after it.
select
    _delivery_id,
    _row_number,
    absence_id,
    updated_at,
    member_id,
    case kind
        when '年假' then 'vacation'
        when '病假' then 'sick'
        when '育儿假' then 'parental'
        when '外训' then 'training'
        when '事假' then 'unpaid'
        when '其他' then 'other'
        else kind
    end as kind,
    valid_from,
    coalesce(cast(cast(try_cast(last_date as date) + interval 1 day as date) as varchar), last_date) as valid_to,
    absence_pct,
    is_paid
from leave
