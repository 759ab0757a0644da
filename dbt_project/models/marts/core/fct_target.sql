-- Grain: one row per target.
{%- set month_of_subject = 'target.subject_type, target.subject_id, calendar.fiscal_month_start' %}
with

target as (
    select * from {{ ref('int_current__target') }}
),

calendar as (
    select * from {{ ref('int_calendar__day') }}
),

objective as (
    select * from {{ ref('dim_objective') }}
),

member as (
    select * from {{ ref('dim_member') }}
),

dealer as (
    select * from {{ ref('dim_dealer') }}
),

subject_target as (
    select
        target_id,
        subject_type,
        subject_id,
        valid_from,
        valid_to,
        case when subject_type = 'member' then subject_id end as member_id,
        case when subject_type = 'dealer' then subject_id end as dealer_id
    from target
),

-- Where the subject belongs on the first day of the window, or on the first day of it on which the masters have the subject.
placed as (
    select
        subject_target.target_id,
        coalesce(
            member.team, case when subject_target.subject_type = 'team' then subject_target.subject_id end
        ) as subject_team,
        coalesce(
            member.region, dealer.region, case when subject_target.subject_type = 'region' then subject_target.subject_id end
        ) as subject_region,
        row_number() over (
            partition by subject_target.target_id
            order by coalesce(member.valid_from, dealer.valid_from) nulls last
        ) as row_no
    from subject_target
    left join member
        on
            subject_target.member_id = member.member_id
            and subject_target.valid_from < member.valid_to
            and subject_target.valid_to > member.valid_from
    left join dealer
        on
            subject_target.dealer_id = dealer.dealer_id
            and subject_target.valid_from < dealer.valid_to
            and subject_target.valid_to > dealer.valid_from
),

final as (
    select
        target.target_id,
        target.subject_type,
        target.subject_id,
        target.metric,
        target.product_category,
        target.valid_from,
        target.valid_to,
        calendar.fiscal_month_start,
        target.target_value,
        target.unit,
        target.objective_id,
        objective.objective_id is not null as is_aligned,
        target.weight_pct,
        -- Stated weights hold where all targets that the subject has from the month on state one; else all weigh the same.
        cast(
            case
                when
                    count(target.weight_pct) over (partition by {{ month_of_subject }})
                    = count(*) over (partition by {{ month_of_subject }})
                    then cast(target.weight_pct as decimal(18, 8))
                else {{ exact_divide('100', 'count(*) over (partition by ' ~ month_of_subject ~ ')', 8) }}
            end as decimal(18, 8)
        ) as alignment_weight,
        placed.subject_team,
        placed.subject_region,
        target._source,
        target._source_file,
        target._delivery_id,
        target._row_number,
        target._row_part,
        target._received_date
    from target
    left join calendar on target.valid_from = calendar.date_day
    -- In force on the first day of the target's window.
    left join objective
        on
            target.objective_id = objective.objective_id
            and target.valid_from >= objective.valid_from
            and target.valid_from < objective.valid_to
    left join placed
        on
            target.target_id = placed.target_id
            and placed.row_no = 1
)

select * from final
