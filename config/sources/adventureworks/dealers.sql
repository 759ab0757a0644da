-- One row per shop. The file has neither dates nor a status: a shop is valid from the year in which it opened, and what
-- it does not say stays empty.
select
    r._delivery_id,
    r._row_number,
    r.ResellerKey as dealer_id,
    r.YearOpened || '-01-01' as valid_from,
    r.ResellerName as dealer_name,
    r.BusinessType as dealer_type,
    t.SalesTerritoryRegion as region,
    g.EnglishCountryRegionName as country,
    g.City as city,
    case when g.GeographyKey is null then 'unknown geography key' end as _reject_reason,
from dim_reseller as r
left join dim_geography as g on r.GeographyKey = g.GeographyKey
left join dim_sales_territory as t on g.SalesTerritoryKey = t.SalesTerritoryKey
