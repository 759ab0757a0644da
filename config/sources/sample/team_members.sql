select
    _delivery_id,
    _row_number,
    member_id,
    valid_from,
    valid_to,
    member_name,
    case role
        when '销售' then 'sales'
        when '客服' then 'service'
        when '支持' then 'support'
        when '经理' then 'manager'
        else role
    end as role,
    grade,
    team,
    manager_id,
    case region
        when '华东' then 'East China'
        when '华北' then 'North China'
        when '华南' then 'South China'
        when '西南' then 'Southwest China'
        else region
    end as region,
    hired_date,
    left_date,
    employment_pct,
    currency_code,
    base_pay_amount,
    case gender when '男' then 'male' when '女' then 'female' else gender end as gender,
    birth_year
from team
