select
    _delivery_id,
    _row_number,
    target_id,
    case subject_type when '公司' then 'company' when '团队' then 'team' when '个人' then 'member' else subject_type end as subject_type,
    case when subject_type = '公司' then 'company' else subject_id end as subject_id,
    metric,
    product_category,
    valid_from,
    valid_to,
    target_value,
    unit,
    objective_id,
    weight_pct
from aims
