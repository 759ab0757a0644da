-- One row per version of a product. Sales name the version, and its dates contradict them (most lines are older than the
-- StartDate of the version that they name, 200 versions end before they start): the version is the product, undated.
select
    p._delivery_id,
    p._row_number,
    p.ProductKey as product_id,
    '2000-01-01' as valid_from,
    p.EnglishProductName as product_name,
    c.EnglishProductCategoryName as category,
    s.EnglishProductSubcategoryName as subcategory,
    'USD' as currency_code,
    p.ListPrice as list_price_amount,
    p.StandardCost as standard_cost_amount,
    case
        when p.ProductSubcategoryKey is not null and s.ProductSubcategoryKey is null then 'unknown subcategory key'
        when s.ProductCategoryKey is not null and c.ProductCategoryKey is null then 'unknown category key'
    end as _reject_reason,
from dim_product as p
left join dim_product_subcategory as s on p.ProductSubcategoryKey = s.ProductSubcategoryKey
left join dim_product_category as c on s.ProductCategoryKey = c.ProductCategoryKey
