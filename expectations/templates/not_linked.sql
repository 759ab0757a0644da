-- Rows whose `column` holds a user of a CRM whom id_links ties to no member.
select b._row_id
from {{ batch }} as b
anti join feed_id_links as k
    on k.system = b.crm_system
    and k.subject_type = 'member'
    and k.external_id = b.{{ column }}
where
    b.{{ column }} is not null
    and b.crm_system is not null
