-- Rows whose `column` names a record that is not among `records`, a view of another feed, by its column `named`.
-- `when`: asked only where these columns have these values. `within`: a column that must be the same on both sides.
select b._row_id
from {{ batch }} as b
anti join {{ records }} as k
    on k.{{ named }} = b.{{ column }}
    {% if within is defined %}
    and k.{{ within }} = b.{{ within }}
    {% endif %}
where
    b.{{ column }} is not null
    {% for name, value in (when | default({})).items() %}
    and b.{{ name }} {{ "= '" ~ value ~ "'" if value is string else "in ('" ~ value | join("', '") ~ "')" }}
    {% endfor %}
    {% if within is defined %}
    and b.{{ within }} is not null
    {% endif %}
