-- The file holds the whole company, one row per person and period; the dealer team is its department Sales.
-- A person is one national id; the code is the person's first key, because it stays when history grows.
with
    keyed as (
        select
            *,
            min(try_cast(EmployeeKey as integer)) over person as member_key,
            -- EndDate is the last day in some rows and the day after in others; the next row's start is certain.
            coalesce(lead(StartDate) over (person order by StartDate, try_cast(EmployeeKey as integer)), EndDate) as until,
        from dim_employee
        window person as (partition by _delivery_id, EmployeeNationalIDAlternateKey)
    ),

    managers as (
        select
            _delivery_id,
            EmployeeKey,
            max(member_key) filter (where DepartmentName = 'Sales') as member_key,
        from keyed
        group by _delivery_id, EmployeeKey
    )

select
    e._delivery_id,
    e._row_number,
    cast(e.member_key as varchar) as member_id,
    e.StartDate as valid_from,
    e.until as valid_to,
    e.FirstName || ' ' || e.LastName as member_name,
    case
        when e.Title = 'Sales Representative' then 'sales'
        when e.Title like '%Sales Manager' or e.Title = 'Vice President of Sales' then 'manager'
    end as role,
    e.Title as grade,
    coalesce(
        t.SalesTerritoryGroup,
        case e.Title
            when 'North American Sales Manager' then 'North America'
            when 'European Sales Manager' then 'Europe'
            when 'Pacific Sales Manager' then 'Pacific'
        end
    ) as team,
    cast(m.member_key as varchar) as manager_id,
    t.SalesTerritoryRegion as region,
    e.HireDate as hired_date,
    'USD' as currency_code,
    -- BaseRate is pay per hour: 2,080 hours a year give 48,000 for a representative and 150,000 for the vice president.
    try_cast(e.BaseRate as decimal(18, 4)) * 2080 as base_pay_amount,
    e.Gender as gender,
    try_cast(left(e.BirthDate, 4) as integer) as birth_year,
    case
        when e.EmployeeNationalIDAlternateKey is null then 'no national id'
        when e.DepartmentName is null then 'no department'
        when e.DepartmentName = 'Sales' and role is null then 'unknown title in the department Sales'
    end as _reject_reason,
    case when e.DepartmentName <> 'Sales' then 'not of the dealer team: department ' || e.DepartmentName end as _structural,
from keyed as e
left join managers as m on e._delivery_id = m._delivery_id and e.ParentEmployeeKey = m.EmployeeKey
left join dim_sales_territory as t on e.SalesTerritoryKey = t.SalesTerritoryKey
