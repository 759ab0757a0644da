-- Chinese code words become the company's own; a word that is not known here passes as it is, for the checks to judge.
select
    _delivery_id,
    _row_number,
    dealer_id,
    valid_from,
    valid_to,
    dealer_name,
    case dealer_type
        when '代理商' then 'distributor'
        when '专卖店' then 'specialist'
        when '连锁' then 'chain'
        when '电商' then 'online'
        else dealer_type
    end as dealer_type,
    tier,
    parent_dealer_id,
    case region
        when '华东' then 'East China'
        when '华北' then 'North China'
        when '华南' then 'South China'
        when '西南' then 'Southwest China'
        else region
    end as region,
    country,
    city,
    currency_code,
    onboarded_date,
    case status
        when '正常' then 'active'
        when '潜在' then 'prospect'
        when '暂停' then 'suspended'
        when '终止' then 'terminated'
        else status
    end as status,
    credit_limit_amount
from dealers
