select
    _delivery_id,
    _row_number,
    territory_id,
    case subject_type when '经销商' then 'dealer' when '成员' then 'member' else subject_type end as subject_type,
    subject_id,
    valid_from,
    valid_to,
    territory_name,
    case region
        when '华东' then 'East China'
        when '华北' then 'North China'
        when '华南' then 'South China'
        when '西南' then 'Southwest China'
        else region
    end as region,
    share_pct
from territories
