-- One plan per percent, named by it: CommissionPct .0120 is 120 basis points, and the plan is commission_120bp. The file
-- states today's percent without a date, so it holds from the person's first day in the dealer team on.
with
    joined as (
        select member_id, min(valid_from) as since
        from feed_team_members
        group by member_id
    ),

    pointed as (
        select *, try_cast(CommissionPct as decimal(9, 6)) * 10000 as points
        from sales_person
    )

select
    s._delivery_id,
    s._row_number,
    s.BusinessEntityID as plan_assignment_id,
    'member' as payee_type,
    joined.member_id as payee_id,
    'commission_' || cast(s.points as integer) || 'bp' as plan_id,
    'USD' as currency_code,
    joined.since as valid_from,
    case
        when joined.member_id is null then 'not a person of the dealer team'
        when s.points is null or s.points <> cast(s.points as integer)
            then 'the percent is missing or no whole number of basis points'
    end as _reject_reason,
from pointed as s
left join oltp_employee as e on s.BusinessEntityID = e.BusinessEntityID
left join feed_id_links as link
    on link.system = 'national_id' and link.subject_type = 'member' and link.external_id = e.NationalIDNumber
left join joined on link.subject_id = joined.member_id
