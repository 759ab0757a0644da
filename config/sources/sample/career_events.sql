select
    _delivery_id,
    _row_number,
    career_event_id,
    member_id,
    case kind
        when '晋升' then 'promotion'
        when '定级调整' then 'grade_change'
        when '转岗' then 'role_change'
        when '调动' then 'transfer'
        else kind
    end as kind,
    from_grade,
    to_grade,
    case from_role
        when '销售' then 'sales'
        when '客服' then 'service'
        when '支持' then 'support'
        when '经理' then 'manager'
        else from_role
    end as from_role,
    case to_role
        when '销售' then 'sales'
        when '客服' then 'service'
        when '支持' then 'support'
        when '经理' then 'manager'
        else to_role
    end as to_role,
    decided_date,
    effective_date,
    decided_by_id,
    reason
from careers
