-- A dealer's first onboarding day in any of its records: what a later record says does not make older sales wrong.
select b._row_id
from {{ batch }} as b
join (
    select
        dealer_id,
        min(onboarded_date) as onboarded_date
    from feed_dealers
    group by dealer_id
) as d
    on d.dealer_id = b.dealer_id
where b.sale_date < d.onboarded_date
