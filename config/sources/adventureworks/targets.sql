-- A quota holds from its date to the same person's next; the last ones for 92 days, the length of a last quarter.
-- CalendarYear and CalendarQuarter were left behind when the dates were moved, and are not read.
with
    dated as (
        select *, try_cast(left(Date, 10) as date) as starts
        from fact_sales_quota
    )

select
    _delivery_id,
    _row_number,
    SalesQuotaKey as target_id,
    'member' as subject_type,
    EmployeeKey as subject_id,
    'net_revenue' as metric,
    starts as valid_from,
    coalesce(lead(starts) over (partition by _delivery_id, EmployeeKey order by starts), starts + 92) as valid_to,
    SalesAmountQuota as target_value,
    'USD' as unit,
    case when starts is null then 'the date is missing or not a date' end as _reject_reason,
from dated
