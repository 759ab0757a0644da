-- The learning system numbers people itself: our code is the one that id_links gives for its user at receipt.
select
    skill._delivery_id,
    skill._row_number,
    skill.assessment_id,
    link.subject_id as member_id,
    skill.skill,
    skill.topic,
    skill.assessed_date,
    skill.assessor_id,
    skill.scale_min,
    skill.scale_max,
    skill.level,
    case
        when skill.user_code is not null and link.subject_id is null then 'unknown user of the learning system'
    end as _reject_reason
from lms_skills as skill
left join feed_id_links as link
    on
        link.system = 'lms'
        and link.subject_type = 'member'
        and skill.user_code = link.external_id
