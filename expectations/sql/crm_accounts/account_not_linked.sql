select b._row_id
from {{ batch }} as b
anti join feed_id_links as k
    on k.system = b.crm_system
    and k.subject_type = 'dealer'
    and k.external_id = b.account_id
where
    b.dealer_id is null
    and b.account_id is not null
    and b.crm_system is not null
