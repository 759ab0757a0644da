-- Ratings on the sheet go from 1 to 5.
select
    _delivery_id,
    _row_number,
    event_id,
    case attendee_type when '经销商' then 'dealer' when '成员' then 'member' else attendee_type end as attendee_type,
    attendee_id,
    event_name,
    case kind
        when '经验交流' then 'exchange'
        when '培训' then 'training'
        when '团建' then 'team_building'
        when '走访' then 'dealer_visit'
        else kind
    end as kind,
    case audience
        when '本团队' then 'team'
        when '跨团队' then 'cross_team'
        when '经销商' then 'dealers'
        when '全员' then 'company'
        else audience
    end as audience,
    organiser_id,
    event_date,
    invited_date,
    is_attended,
    case when rating is not null then 1 end as scale_min,
    case when rating is not null then 5 end as scale_max,
    rating
from events
