-- Which member of the dealer team a national id is: the person's first key, as in team_members.sql.
with
    keyed as (
        select
            *,
            min(try_cast(EmployeeKey as integer)) over (partition by _delivery_id, EmployeeNationalIDAlternateKey) as member_key,
        from national_id
    )

select
    _delivery_id,
    _row_number,
    'national_id' as system,
    'member' as subject_type,
    EmployeeNationalIDAlternateKey as external_id,
    cast(member_key as varchar) as subject_id,
    case
        when EmployeeNationalIDAlternateKey is null then 'no national id'
        when DepartmentName is null then 'no department'
    end as _reject_reason,
    case when DepartmentName <> 'Sales' then 'not of the dealer team: department ' || DepartmentName end as _structural,
from keyed
